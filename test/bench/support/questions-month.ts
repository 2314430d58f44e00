/** A month of history as a busy host makes it: windows of ten seconds, days and nights, connections that come and go. */
import type { Identity } from "../../../src/history/types.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { DAY_MS, Random, WINDOW_MS } from "./day.ts";
import { CONVERSATIONS, type Conversation, Pool, Zipf } from "./questions-pool.ts";

export const DAYS = 30;
/** The same in every run, and on no whole minute: a month has parts of days, hours and minutes at both ends. */
export const MONTH_END_MS = Date.UTC(2026, 9, 31, 13, 37, 20);
export const MONTH_START_MS = MONTH_END_MS - DAYS * DAY_MS;
const WINDOWS = (DAYS * DAY_MS) / WINDOW_MS;
const HOURS_OF_DAY = 24;
const HOUR_MS = DAY_MS / HOURS_OF_DAY;
/** The quietest time of day, UTC, and how far the rate swings about its mean. */
const QUIET_HOUR = 4;
const SWING = 0.6;
const WEEKEND_SHARE = 0.7;
const FIRST_CLIENT_PORT = 32_768;
const CLIENT_PORTS = 28_000;
const TCP = 6;
const FULL_BYTES = 1514;
const SMALL_BYTES = 74;
/** Packets that the server sends in a window at most, by how much there is to fetch; most often little. */
const VOLUMES = [4, 4, 8, 8, 12, 20, 40, 100, 400, 3000] as const;
const FLAGS = 0x1b;

interface Connection {
  identity: Identity;
  direction: "ingress" | "egress";
  windowsLeft: number;
  volume: number;
  rttNs: number;
}

function weight(window: number): number {
  const at = new Date(MONTH_START_MS + window * WINDOW_MS);
  const hour = (at.getTime() % DAY_MS) / HOUR_MS;
  const isWeekend = at.getUTCDay() % 6 === 0;
  const daily = 1 - SWING * Math.cos(((hour - QUIET_HOUR) / HOURS_OF_DAY) * 2 * Math.PI);
  return daily * (isWeekend ? WEEKEND_SHARE : 1);
}

/** Rows up to the end of each window: `rows` in all, by the rhythm of days and weeks. */
function rowsUpTo(rows: number): Float64Array {
  const upTo = new Float64Array(WINDOWS);
  let sum = 0;
  for (let window = 0; window < WINDOWS; window++) {
    sum += weight(window);
    upTo[window] = sum;
  }
  return upTo.map((share) => Math.round((share / sum) * rows));
}

/** Makes the rows of a month, oldest first; the same rows each time. */
export class Month {
  private readonly random = new Random();
  private readonly popularity = new Zipf(CONVERSATIONS);
  private readonly conversations: readonly Conversation[];
  private readonly upTo: Float64Array;
  private live: Connection[] = [];
  private window = -1;
  /** The next of `live` that a row is made of. */
  private at = 0;

  /** A month of `rows` rows altogether. */
  constructor(readonly rows: number) {
    this.conversations = new Pool(this.random).conversations();
    this.upTo = rowsUpTo(rows);
  }

  /** Milliseconds since the epoch of the window that the last row was of. */
  get timeMs(): number {
    return MONTH_START_MS + this.window * WINDOW_MS;
  }

  /** The next row; called `rows` times. */
  next(): HistoryRow {
    while (this.at === this.live.length) this.nextWindow();
    const connection = this.live[this.at++];
    if (connection === undefined) throw new Error("the month has no more rows");
    return this.row(connection);
  }

  private nextWindow(): void {
    this.window++;
    if (this.window === WINDOWS) throw new Error("the month has no more rows");
    this.at = 0;
    const wanted = (this.upTo[this.window] ?? 0) - (this.upTo[this.window - 1] ?? 0);
    const staying = this.live.filter((connection) => --connection.windowsLeft > 0);
    this.live = staying.slice(0, wanted);
    while (this.live.length < wanted) this.live.push(this.open());
  }

  private open(): Connection {
    const { random } = this;
    const one = this.conversations[this.popularity.draw(random)];
    if (one === undefined) throw new Error("there are no conversations");
    const clientPort = FIRST_CLIENT_PORT + random.next(CLIENT_PORTS);
    return {
      identity: { ...one.identity, clientPort },
      direction: one.service.direction,
      windowsLeft: one.service.windows === 1 ? 1 : 1 + random.next(2 * one.service.windows - 1),
      volume: VOLUMES[random.next(VOLUMES.length)] ?? 1,
      rttNs: 1_000_000 + random.next(80_000_000),
    };
  }

  private row({ identity, direction, volume, rttNs }: Connection): HistoryRow {
    const { random } = this;
    const isTcp = identity.protocol === TCP;
    const packetsReceived = random.next(volume);
    const packetsSent = 1 + (packetsReceived >> 1);
    return {
      connection: identity,
      timestampMs: this.timeMs,
      kind: "window",
      direction,
      packetsSent,
      bytesSent: packetsSent * SMALL_BYTES + random.next(FULL_BYTES),
      packetsReceived,
      bytesReceived: packetsReceived * (SMALL_BYTES + random.next(FULL_BYTES - SMALL_BYTES)),
      tcpFlags: isTcp ? FLAGS : 0,
      rttNs: isTcp && packetsReceived > 0 ? rttNs + random.next(1_000_000) : null,
      retransmits: isTcp && random.next(20) === 0 ? 1 + random.next(3) : 0,
    };
  }
}
