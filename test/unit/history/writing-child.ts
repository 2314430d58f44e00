import { openHistory } from "../../../src/history/history.ts";
import { RowFeed } from "../../support/history-rows.ts";
import { connection, options, row } from "./fixture.ts";

/** Writes as fast as it can to the database at argv[2] until it is killed; prints how many rows it has written. */
const history = openHistory({
  ...options(""),
  path: process.argv[2] ?? "",
  maxDbSizeBytes: 64 * 1024 * 1024,
});
const feed = new RowFeed(history.writer);
const connections = Array.from({ length: 500 }, (_, index) => connection(index));
for (let turn = 0; ; turn++) {
  for (let index = 0; index < 1500; index++) {
    feed.append(row(connections[index % 500] ?? connection(0), { timestampMs: Date.now() }));
  }
  await Bun.sleep(2);
  const { rowsWritten } = history.status();
  if (turn % 5 === 4 && rowsWritten > 0) process.stdout.write(`${rowsWritten}\n`);
}
