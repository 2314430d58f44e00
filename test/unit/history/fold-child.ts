import { openHistory } from "../../../src/history/history.ts";
import { RowFeed } from "../../support/history-rows.ts";
import { connection, options, row } from "./fixture.ts";
import { numbers } from "./rows.ts";

/**
 * Writes and folds to the database at argv[2] until it is killed, in a time that begins at argv[3] and passes so fast that
 * there is always something to fold. Prints how many rows it has written, and what time it is.
 */
const SPEED = 4000;
const CONVERSATIONS = 5000;
const ROWS_PER_TURN = 100;
const DAY_MS = 86_400_000;

const [path = "", start = "0", seed = "0"] = process.argv.slice(2);
const startMs = Number(start);
const started = performance.now();
const passed = () => (performance.now() - started) * SPEED;
const now = () => startMs + passed();
// A slice is over after one step: it can be killed behind each.
const history = openHistory({ ...options(""), path, now, clock: passed, windowMs: 0, maxFoldEntries: 200 });
const feed = new RowFeed(history.writer);
const connections = Array.from({ length: CONVERSATIONS }, (_, index) => connection(index));
const pick = numbers(Number(seed));
for (;;) {
  for (let index = 0; index < ROWS_PER_TURN; index++) {
    const isLate = pick(20) === 0;
    feed.append(
      row(connections[pick(CONVERSATIONS)] ?? connection(0), {
        timestampMs: Math.floor(now()) - (isLate ? pick(DAY_MS) : pick(10_000)),
        bytesSent: pick(100_000),
        direction: pick(2) === 0 ? "ingress" : "egress",
        tcpFlags: pick(256),
      }),
    );
  }
  history.folding.start();
  await Bun.sleep(4);
  process.stdout.write(`${history.status().rowsWritten} ${Math.floor(now())}\n`);
}
