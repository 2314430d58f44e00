/** The month as a database of history, written and folded by the agent's own code, and the same rows in the peers' stores. */
import { Database } from "bun:sqlite";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openHistory } from "../../../src/history/history.ts";
import { LEVELS } from "../../../src/history/rollup-types.ts";
import { createLogger } from "../../../src/log.ts";
import { ROOT } from "../../support/command.ts";
import { RowFeed } from "../../support/history-rows.ts";
import { removeDatabase } from "./history-writing.ts";
import { Month, MONTH_END_MS, MONTH_START_MS } from "./questions-month.ts";
import { makePeers, PEER_FILES, PEERS } from "./questions-peers.ts";
import { HISTORY_FILE, type Subject } from "./questions-subjects.ts";

const FOLDER = join(ROOT, "dist", "bench", "questions");
const MADE_FILE = "made.json";
/** What the rows depend on, and what history makes of them. */
const ROW_SOURCES = ["test/bench/support/{day,questions-month,questions-pool,questions-peers}.ts"];
const FILE_SOURCES = ["src/history/{schema,rowid,row-inserter,segments,levels,rollup-*,fold*}.ts"];
const BURST_ROWS = 4000;
const ROWS_BETWEEN_TOLD = 1_000_000;
const FLUSH_MS = 60_000;
/** The last minute stays open, as it does for an agent that runs on. */
const END_MS = MONTH_END_MS + 30_000;

/** Bytes of a part of the file. */
interface Part {
  name: string;
  bytes: number;
}

/** How a month's history was made, and what it is made of. */
export interface Made {
  /** Hash of what made it. */
  key: string;
  rows: number;
  seconds: number;
  conversations: number;
  domains: number;
  parts: Part[];
}

type Tell = (what: string) => void;

async function hashOf(patterns: readonly string[]): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const files = patterns.flatMap((pattern) => [...new Bun.Glob(pattern).scanSync({ cwd: ROOT })]).toSorted();
  for (const file of files) hash.update(await Bun.file(join(ROOT, file)).text());
  return hash.digest("hex").slice(0, 12);
}

/** What the agent's clock showed when so many rows had been made. */
interface Mark {
  rows: number;
  timeMs: number;
}

/** The clock of an agent that writes the month: it stands at the window before which all rows are written. */
class WritingClock {
  private readonly marks: Mark[] = [];
  private nowMs = MONTH_START_MS;

  /** Milliseconds since the epoch. */
  readonly now = () => this.nowMs;
  /** Milliseconds of a monotonic clock that goes with it. */
  readonly monotonic = () => performance.now() + this.nowMs - MONTH_START_MS;

  /** Notes that the `rows` rows made so far are all there are of before `timeMs`. */
  note(rows: number, timeMs: number): void {
    this.marks.push({ rows, timeMs });
  }

  /** Moves on to what `written` rows reach. */
  advance(written: number): void {
    while (this.marks[0] !== undefined && this.marks[0].rows <= written) {
      this.nowMs = this.marks.shift()?.timeMs ?? this.nowMs;
    }
  }
}

function openAt(path: string, clock: WritingClock) {
  return openHistory({
    path,
    lockFile: () => ({ release: () => undefined }),
    maxDbSizeBytes: Number.MAX_SAFE_INTEGER,
    dataRetentionSeconds: 0,
    log: createLogger("warn", "text"),
    now: clock.now,
    clock: clock.monotonic,
  });
}

/** Writes a month of `rows` rows to a new file and folds it meanwhile, as an agent does in a month. */
async function writeMonth(path: string, rows: number, tell: Tell): Promise<number> {
  const started = performance.now();
  const month = new Month(rows);
  const clock = new WritingClock();
  const history = openAt(path, clock);
  const { writer } = history;
  const feed = new RowFeed(writer);
  for (let made = 0; made < rows; ) {
    const { queued, queueCapacity, rowsWritten } = writer.status();
    clock.advance(rowsWritten);
    const end = Math.min(rows, made + Math.min(BURST_ROWS, queueCapacity - queued));
    for (; made < end; made++) {
      if (made % ROWS_BETWEEN_TOLD === 0)
        tell(`${made.toLocaleString("en")} of ${rows.toLocaleString("en")} rows`);
      feed.append(month.next());
    }
    clock.note(made, month.timeMs);
    await Bun.sleep(0);
  }
  await writer.flush(FLUSH_MS);
  clock.note(rows, END_MS);
  clock.advance(rows);
  tell("folding the rest");
  history.folding.start();
  await history.folding.settled();
  const { rowsWritten } = writer.status();
  await history.close();
  if (rowsWritten !== rows) throw new Error(`${rowsWritten} of ${rows} rows were written`);
  return (performance.now() - started) / 1000;
}

/** Where the bytes of a file of history are, tables with their indexes. */
function partsOf(db: Database): Part[] {
  const tables = db
    .query<Part, []>(`SELECT s.tbl_name AS name, sum(p.pgsize) AS bytes
      FROM dbstat p JOIN sqlite_schema s ON s.name = p.name WHERE p.aggregate = TRUE
      GROUP BY s.tbl_name ORDER BY bytes DESC`)
    .all();
  const levels = db
    .query<{ level: number; entries: number; bytes: number }, []>(
      "SELECT level, sum(entries) AS entries, sum(length(conversations) + length(data)) AS bytes FROM rollups GROUP BY level ORDER BY level",
    )
    .all();
  return [
    ...tables,
    ...levels.map(({ level, entries, bytes }) => ({
      name: `of rollups, ${LEVELS[level] ?? level}: ${entries.toLocaleString("en")} entries`,
      bytes,
    })),
  ];
}

function count(db: Database, table: string): number {
  return db.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${table}`).get()?.count ?? 0;
}

async function makeHistory(folder: string, rows: number, tell: Tell): Promise<Made> {
  const key = await hashOf(FILE_SOURCES);
  const file = Bun.file(join(folder, MADE_FILE));
  const known: Made | null = (await file.exists()) ? await file.json() : null;
  if (known?.key === key) return known;
  const path = join(folder, HISTORY_FILE);
  rmSync(join(folder, MADE_FILE), { force: true });
  removeDatabase(path);
  const seconds = await writeMonth(path, rows, tell);
  const db = new Database(path, { readonly: true });
  const made: Made = {
    key,
    rows: count(db, "rows"),
    seconds,
    conversations: count(db, "conversations"),
    domains: count(db, "domains"),
    parts: partsOf(db),
  };
  db.close();
  await Bun.write(file, JSON.stringify(made));
  return made;
}

/**
 * A month of `rows` rows for `subjects`, made unless it is there from another run. What another generator made is removed,
 * and history of an older schema is made anew.
 */
export async function makeMonth(
  rows: number,
  subjects: readonly Subject[],
  tell: Tell,
): Promise<{ folder: string; made: Made }> {
  const key = `${rows}-${await hashOf(ROW_SOURCES)}`;
  const folder = join(FOLDER, key);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(FOLDER)) {
    if (name.startsWith(`${rows}-`) && name !== key) rmSync(join(FOLDER, name), { recursive: true });
  }
  const made = await makeHistory(folder, rows, tell);
  const missing = PEERS.filter(
    (peer) => subjects.includes(peer) && !existsSync(join(folder, PEER_FILES[peer])),
  );
  await makePeers(folder, join(folder, HISTORY_FILE), missing, tell);
  return { folder, made };
}
