/**
 * An agent of the classic design, end to end: `bun test/bench/reference/agent.ts --interface NAME --db-path FILE`.
 * An event per packet out of the ring, one update of a map by 5-tuple, one row of history. Prints `ready` when it is
 * attached; on SIGTERM it takes what is in the ring, commits, and prints {events, lost, rows, flows} as one line of JSON.
 */
import { Database } from "bun:sqlite";
import { type Pointer, read } from "bun:ffi";
import { parseArgs } from "node:util";
import { attachInterface, chooseMethod } from "../../../src/bpf/attach.ts";
import { interfaceIndex } from "../../../src/bpf/libc.ts";
import { ClassicRing, compileClassic, EVENT, openClassic } from "./classic.ts";

/**
 * Such an agent is woken for each event, or each few. Bun has no asynchronous FFI, so this one looks every so often
 * instead, which is cheaper under load. The ring holds as many events as come in this time at two million a second.
 */
const POLL_MS = 2;
/** Events handled before signals and timers get their turn. */
const BATCH_EVENTS = 4096;
const COMMIT_ROWS = 10_000;
const COMMIT_MS = 1000;
/** Flows kept; the one begun first makes room for the next. */
const MAX_FLOWS = 262_144;
const U32 = 0x1_0000_0000;

interface Flow {
  packets: number;
  bytes: number;
}

/** Flows by 5-tuple, a bounded number of them. */
class Flows {
  private readonly byKey = new Map<string, Flow>();

  get size(): number {
    return this.byKey.size;
  }

  count(key: string, bytes: number): void {
    const flow = this.byKey.get(key);
    if (flow !== undefined) {
      flow.packets++;
      flow.bytes += bytes;
      return;
    }
    if (this.byKey.size === MAX_FLOWS) {
      const [oldest] = this.byKey.keys();
      if (oldest !== undefined) this.byKey.delete(oldest);
    }
    this.byKey.set(key, { packets: 1, bytes });
  }
}

/** A row per packet, in transactions of COMMIT_ROWS rows or COMMIT_MS. */
class Rows {
  private readonly db: Database;
  private readonly insert;
  private open = 0;
  private committedAt = performance.now();

  constructor(path: string) {
    this.db = new Database(path, { create: true, strict: true });
    this.db.run("PRAGMA journal_mode = WAL");
    this.db.run("PRAGMA synchronous = NORMAL");
    this.db.run(
      `CREATE TABLE packets (time_ns INTEGER, source INTEGER, destination INTEGER, source_port INTEGER,
       destination_port INTEGER, protocol INTEGER, direction INTEGER, bytes INTEGER)`,
    );
    this.insert = this.db.prepare<unknown, number[]>("INSERT INTO packets VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  }

  add(...values: number[]): void {
    if (this.open === 0) this.db.run("BEGIN");
    this.insert.run(...values);
    if (++this.open === COMMIT_ROWS) this.commit();
  }

  /** Commits what has waited long enough. */
  tick(): void {
    if (performance.now() - this.committedAt >= COMMIT_MS) this.commit();
  }

  commit(): void {
    if (this.open > 0) this.db.run("COMMIT");
    this.open = 0;
    this.committedAt = performance.now();
  }

  /** Commits, and tells how many rows there are. */
  close(): number {
    this.commit();
    const stored = this.db.query<{ rows: number }, []>("SELECT count(*) AS rows FROM packets").get();
    this.insert.finalize();
    this.db.close();
    return stored?.rows ?? 0;
  }
}

function options(): { interface: string; path: string } {
  const { values } = parseArgs({ options: { interface: { type: "string" }, "db-path": { type: "string" } } });
  const { interface: name, "db-path": path } = values;
  if (name === undefined || path === undefined)
    throw new Error("usage: agent.ts --interface NAME --db-path FILE");
  return { interface: name, path };
}

const { interface: name, path } = options();
const classic = openClassic(await compileClassic());
const rows = new Rows(path);
const flows = new Flows();
let failure: unknown = null;

function handle(event: Pointer): void {
  const timeNs = read.u32(event, EVENT.timeNs + 4) * U32 + read.u32(event, EVENT.timeNs);
  const source = read.u32(event, EVENT.source);
  const destination = read.u32(event, EVENT.destination);
  const sourcePort = read.u16(event, EVENT.sourcePort);
  const destinationPort = read.u16(event, EVENT.destinationPort);
  const protocol = read.u8(event, EVENT.protocol);
  const direction = read.u8(event, EVENT.direction);
  const bytes = read.u32(event, EVENT.length);
  flows.count(`${source} ${destination} ${sourcePort} ${destinationPort} ${protocol}`, bytes);
  rows.add(timeNs, source, destination, sourcePort, destinationPort, protocol, direction, bytes);
}

const ring = new ClassicRing(classic.ringFd, (event) => {
  try {
    handle(event);
  } catch (error) {
    // It must not cross into C.
    failure ??= error;
  }
});
const ifindex = interfaceIndex(name);
if (ifindex === 0) throw new Error(`interface ${name} does not exist`);
const method = chooseMethod("auto", classic.programs.ingress);
const attachment = attachInterface({ name, ifindex, programs: classic.programs, method, share: false });
let events = 0;
let isStopped = false;

/** Takes a batch out of the ring. Returns whether there may be more. */
function drain(): boolean {
  const drained = ring.drain(BATCH_EVENTS);
  events += drained;
  if (failure !== null) throw failure;
  return drained === BATCH_EVENTS;
}

function tick(): void {
  if (isStopped) return;
  const isBehind = drain();
  rows.tick();
  if (isBehind) setImmediate(tick);
  else setTimeout(tick, POLL_MS);
}

process.once("SIGTERM", () => {
  isStopped = true;
  attachment.detach();
  while (drain());
  const report = { events, lost: classic.lost(), rows: rows.close(), flows: flows.size };
  ring.close();
  classic.close();
  console.log(JSON.stringify(report));
});
tick();
console.log("ready");
