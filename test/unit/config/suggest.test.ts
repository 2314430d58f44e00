import { expect, test } from "bun:test";
import { OPTION_KEYS } from "../../../src/config/options.ts";
import { didYouMean, suggest } from "../../../src/config/suggest.ts";

test.each([
  ["prot", "port"],
  ["db-path", "db_path"],
  ["dbpath", "db_path"],
  ["Interface", "interface"],
  ["interfaces", "interface"],
  ["aggregation_window", "aggregation_window_seconds"],
  ["data_retention", "data_retention_seconds"],
  ["allowed_ip", "allowed_ips"],
])("%p was meant to be %p", (word, meant) => expect(suggest(word, OPTION_KEYS)).toBe(meant));

test.each(["", "x", "colour", "kubernetes"])("%p resembles nothing", (word) =>
  expect(suggest(word, OPTION_KEYS)).toBeUndefined(),
);

test("the words of a message", () => {
  expect(didYouMean("PROT", ["PORT", "LISTEN"], "AYAFLOW_")).toBe("; did you mean AYAFLOW_PORT?");
  expect(didYouMean("colour", OPTION_KEYS)).toBe("");
});
