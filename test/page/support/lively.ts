/** A minute of an ordinary office's traffic, in step with its history, to look at. */
import { numbers } from "../../unit/history/rows.ts";
import { busyness, CAST, clientAddress, clientPort, RESOLVER, type Role } from "./cast.ts";
import { datagrams, exchange, lookup, type Timed } from "./traffic.ts";

const HOUR_MS = 3_600_000;
const FIRST_LOOKUP_PORT = 50_000;
/** The first connections are opened one after another in this time. */
const OPENING_MS = 4000;
const BURSTS = 3;
const MISSING = ["printer.internal.example", "wpad.internal.example", "old-wiki.internal.example"];

export interface LivelyOptions {
  seconds: number;
  /** As `busyness` takes it. */
  peakMs: number;
}

/** In bursts, as people click. */
function bursty(phase: number): (share: number) => number {
  const wave = 2 * Math.PI * BURSTS;
  return (share) => share - Math.sin(wave * share + phase) / wave / 1.15 + Math.sin(phase) / wave / 1.15;
}

/** Frames of all the cast for some seconds from now. */
export function lively({ seconds, peakMs }: LivelyOptions): Timed[] {
  const pick = numbers(23);
  const frames: Timed[] = [];
  let lookupPort = FIRST_LOOKUP_PORT;
  const ask = (client: string, name: string, atMs: number, rest: Partial<Parameters<typeof lookup>[0]>) =>
    frames.push(
      ...lookup({
        client,
        clientPort: lookupPort++,
        resolver: RESOLVER,
        name,
        atMs,
        latencyMs: 0.4 + pick(400) / 20,
        ...rest,
      }),
    );
  const open = (role: Role, index: number) => {
    const client = clientAddress(index);
    const atMs = 60 + pick(OPENING_MS);
    if (role.name !== null) ask(client, role.name, atMs - 50, { addresses: [role.server] });
    const lastsMs = seconds * 1000 - OPENING_MS - 500;
    const amount = (busyness(Date.now(), peakMs) * lastsMs * (50 + pick(100))) / HOUR_MS / 100;
    const spec = {
      client,
      clientPort: clientPort(role, index),
      server: role.server,
      serverPort: role.port,
      name: role.source === "dns" ? null : role.name,
      sent: 200 + Math.round(role.sent * amount),
      received: 200 + Math.round(role.received * amount),
      atMs,
      lastsMs,
      rttMs: (role.rttMs ?? 0) * (0.8 + pick(40) / 100),
      resent: pick(9) === 0 ? 1 + pick(4) : 0,
      pace: bursty(pick(628) / 100),
    };
    const isResolver = role.server === RESOLVER;
    if (!isResolver) frames.push(...(role.protocol === "tcp" ? exchange(spec) : datagrams(spec)));
  };
  for (const role of CAST) for (let index = 0; index < role.clients; index++) open(role, index);
  for (let second = 1; second < seconds - 1; second += 2) {
    const role = CAST[pick(CAST.length)];
    const client = clientAddress(pick(8));
    const atMs = second * 1000 + pick(900);
    if (role?.name !== null && role !== undefined) ask(client, role.name, atMs, { addresses: [role.server] });
    const missing = MISSING[pick(MISSING.length * 2)];
    if (missing !== undefined) ask(client, missing, atMs + 40, { rcode: 3, latencyMs: 1 + pick(30) / 10 });
    if (pick(12) === 0)
      ask(client, "ads.tracker.example", atMs + 90, { rcode: 2, latencyMs: 180 + pick(300) });
    if (pick(12) === 0) ask(client, "sync.cloud.example", atMs + 120, { isUnanswered: true });
  }
  return frames;
}
