import { describe, expect, test } from "bun:test";
import { parametersOf, pathOf } from "../../../src/cli/history-parameters.ts";
import { type HistoryFlags, readRequest } from "../../../src/cli/history-request.ts";
import { UsageError } from "../../../src/errors.ts";

const NOW = Date.parse("2026-03-10T12:00:00Z");
const read = (flags: HistoryFlags, ...words: string[]) => readRequest(words, flags, NOW);

function problems(flags: HistoryFlags, ...words: string[]): readonly string[] {
  try {
    read(flags, ...words);
    return [];
  } catch (error) {
    if (error instanceof UsageError) return error.problems;
    throw error;
  }
}

test("without anything: who talked to whom in the last hour", () => {
  expect(read({})).toEqual({
    text: "",
    filter: null,
    sinceMs: NOW - 3_600_000,
    untilMs: NOW,
    groupBy: ["client", "server", "server_port", "protocol", "domain"],
    order: "bytes",
    limit: 20,
    kind: "sums",
    stepMs: 0,
    format: "table",
  });
});

test("short names of keys, each once, in any spelling", () => {
  expect(read({ by: "name,Port, proto,iface,registered,server-network,domain" }).groupBy).toEqual([
    "domain",
    "server_port",
    "protocol",
    "interface",
    "registered_domain",
    "server_network",
  ]);
});

test("a filter in one word or in several is the same", () => {
  const one = read({}, "port 443 and (host 10.0.0.7)");
  expect(read({}, "port", "443", "and", "(host", "10.0.0.7)")).toEqual(one);
  expect(one.filter).not.toBeNull();
});

describe("a time series", () => {
  test("has no groups unless asked for, and five then", () => {
    expect(read({ step: "5m" })).toMatchObject({ kind: "series", stepMs: 300_000, groupBy: [], limit: 5 });
    expect(read({ step: "60", by: "name" })).toMatchObject({ stepMs: 60_000, groupBy: ["domain"], limit: 5 });
  });
  test("can choose its step", () => {
    expect(read({ step: "auto" }).stepMs).toBe(30_000);
    expect(read({ step: "auto", since: "-30d" }).stepMs).toBe(21_600_000);
  });
});

describe("what is wrong is said, all at once", () => {
  test.each([
    [{ since: "soon" }, '--since: "soon" is no time; give 03:12, yesterday 03:12'],
    [{ until: "soon" }, '--until: "soon" is no time'],
    [{ since: "-1h", until: "-2h" }, "--since -1h is not before --until -2h"],
    [{ since: "23:59" }, 'write "yesterday 23:59"'],
    [{ by: "clinet" }, "did you mean client?"],
    [{ by: "" }, '--by: "" is not one of client'],
    [{ top: "0" }, '--top: "0" is not a whole number from 1 to 10000'],
    [{ top: "51", step: "1m" }, '--top: "51" is not a whole number from 1 to 50'],
    [{ order: "size" }, '--order: "size" is not one of bytes'],
    [{ step: "0" }, '--step: "0" is no width of a point'],
    [{ json: true, csv: true }, "--json and --csv: give one"],
    [{ rows: true, by: "client", step: "1m" }, "--rows lists single rows: it takes no --by, --step"],
    [{ limit: "5" }, "--limit is of --rows"],
    [{ rows: true, limit: "1000001" }, '--limit: "1000001" is not'],
  ] as [HistoryFlags, string][])("%p", (flags, expected) => {
    expect(problems(flags).join("\n")).toContain(expected);
  });
  test("several", () => {
    expect(problems({ since: "x", by: "y", top: "z" }, "foo").length).toBeGreaterThanOrEqual(4);
  });
  test("what history does not keep, at its character", () => {
    const [message, text, caret] = problems({}, "port 443 and state established");
    expect(message).toMatch(/^filter: at character 14: state is known of live connections only/);
    expect(text).toBe("  port 443 and state established");
    expect(caret).toBe("               ^^^^^^^^^^^^^^^^^");
  });

  test("a filter with a caret below the character", () => {
    const [message, text, caret] = problems({}, "port 443 and bogus");
    expect(message).toMatch(/^filter: at character 14: "bogus"/);
    expect(text).toBe("  port 443 and bogus");
    expect(caret).toBe("               ^^^^^");
  });
});

describe("what the API is asked", () => {
  test("sums", () => {
    const request = read({ by: "name", top: "3", order: "packets" }, "port 443");
    expect(pathOf(request)).toBe("/api/history");
    expect(parametersOf(request)).toEqual({
      since: "2026-03-10T11:00:00.000Z",
      until: "2026-03-10T12:00:00.000Z",
      limit: "3",
      q: "port 443",
      format: "json",
      order: "packets",
      group_by: "domain",
    });
  });
  test("a time series, for people and as a listing", () => {
    const table = read({ step: "5m", by: "name" });
    expect(pathOf(table)).toBe("/api/timeseries");
    expect(parametersOf(table)).toMatchObject({ by: "domain", step: "300" });
    const csv = read({ step: "5m", by: "name", csv: true });
    expect(pathOf(csv)).toBe("/api/history");
    expect(parametersOf(csv)).toMatchObject({ group_by: "domain", step: "300", format: "csv" });
  });
  test("rows, up to and without the end", () => {
    const request = read({ rows: true, limit: "7" });
    expect(parametersOf(request)).toEqual({
      since: "2026-03-10T11:00:00.000Z",
      until: "2026-03-10T11:59:59.999Z",
      limit: "7",
      format: "ndjson",
    });
  });
  test("times that no calendar has are the first or the last of it", () => {
    const { sinceMs, untilMs } = read({ since: "-999999999w", until: "999999999999999" });
    expect(new Date(sinceMs).toISOString()).toBe("1970-01-01T00:00:00.000Z");
    expect(new Date(untilMs).toISOString()).toBe("9999-12-31T23:59:59.999Z");
  });
});
