/**
 * How fast raw mode drains its ring, and stores: `bun test/bench/raw.ts [--quick]`. The generators of `load` do not reach
 * it, so the ring is filled by BPF_PROG_TEST_RUN and then drained by the agent's own loop, its history into a real file.
 */
import { parseArgs } from "node:util";
import { RAW_CONNECTIONS, type RawDrain, rawDrain } from "./support/raw-drain.ts";
import { median } from "./support/measure.ts";
import { atLeast, type Bound, publish, type Table } from "./support/report.ts";

const ROUNDS = 9;
const QUICK_ROUNDS = 3;
const LIMIT = { events: 1_000_000, rows: 250_000 };

const { values } = parseArgs({ options: { quick: { type: "boolean" } }, strict: false });
const rounds = values.quick === true ? QUICK_ROUNDS : ROUNDS;
const drained = await rawDrain(rounds);

const eventsPerSecond = drained.rounds.map(({ events, seconds }) => events / seconds);
const rowsPerSecond = drained.rounds.map(({ rows, seconds }) => rows / seconds);
const whole = (value: number) => Math.round(value).toString();

function exactness({ events, rows, dropped }: RawDrain): Bound {
  return {
    what: "every event drained is a row or counted as lost",
    limit: `${events} events`,
    reached: `${rows} rows + ${dropped} counted`,
    holds: rows + dropped === events,
  };
}

const table: Table = {
  title: "Raw mode: draining a full ring",
  columns: ["round", "events", "ms", "events/s", "rows/s stored"],
  rows: drained.rounds.map(({ events, seconds }, round) => [
    String(round + 1),
    whole(events),
    whole(seconds * 1000),
    whole(eventsPerSecond[round] ?? Number.NaN),
    whole(rowsPerSecond[round] ?? Number.NaN),
  ]),
  note: `${RAW_CONNECTIONS} connections, a ring of ${drained.ringBytes / 2 ** 20} MiB; the loop drains, writes and sweeps in turn, as it does in the agent`,
};

await publish({
  name: "raw",
  tables: [table],
  bounds: [
    atLeast("events drained and counted, median", median(eventsPerSecond), LIMIT.events, "events/s", 0),
    atLeast("rows stored meanwhile, median", median(rowsPerSecond), LIMIT.rows, "rows/s", 0),
    exactness(drained),
  ],
  figures: drained,
});
