import { expect, test } from "bun:test";
import { checkTerminal, looksOf } from "../../../src/top/fitness.ts";
import { pressesOf } from "../../../src/top/presses.ts";

const BOTH = { stdin: true, stdout: true };

test("what is no terminal, or a dumb one, is refused as bad usage", () => {
  expect(() => checkTerminal({ TERM: "xterm" }, { stdin: false, stdout: true })).toThrow(
    "top: stdin is not a terminal; use ayaflow history or the API instead",
  );
  expect(() => checkTerminal({ TERM: "xterm" }, { stdin: true, stdout: false })).toThrow(
    "stdout is not a terminal",
  );
  expect(() => checkTerminal({ TERM: "dumb" }, BOTH)).toThrow('of type "dumb" (TERM)');
  expect(() => checkTerminal({}, BOTH)).toThrow('of type "" (TERM)');
  expect(() => checkTerminal({ TERM: "vt100" }, BOTH)).not.toThrow();
});

test.each([
  [
    { LANG: "C.UTF-8", TERM: "xterm" },
    { ascii: false, color: true },
  ],
  [
    { LANG: "en_GB.utf8", TERM: "vt100" },
    { ascii: false, color: false },
  ],
  [
    { LANG: "C", TERM: "xterm" },
    { ascii: true, color: true },
  ],
  [
    { LANG: "C.UTF-8", LC_ALL: "C", TERM: "xterm" },
    { ascii: true, color: true },
  ],
  [
    { LANG: "C", LC_CTYPE: "C.UTF-8", TERM: "xterm", NO_COLOR: "1" },
    { ascii: false, color: false },
  ],
  [
    { LANG: "C.UTF-8", TERM: "xterm", NO_COLOR: "" },
    { ascii: false, color: true },
  ],
  [{}, { ascii: true, color: true }],
])("%j shows %j", (env, looks) => {
  expect(looksOf({ ascii: false, color: true }, env)).toEqual(looks);
  expect(looksOf({ ascii: true, color: false }, env)).toEqual({ ascii: true, color: false });
});

const NO_KEY = {
  upArrow: false,
  downArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageDown: false,
  pageUp: false,
  home: false,
  end: false,
  return: false,
  escape: false,
  ctrl: false,
  shift: false,
  tab: false,
  backspace: false,
  delete: false,
  meta: false,
  super: false,
  hyper: false,
  capsLock: false,
  numLock: false,
};

test("keys that arrive together are taken apart", () => {
  expect(pressesOf("é\r\u0003", NO_KEY)).toEqual([
    { kind: "text", text: "é" },
    { kind: "key", key: "enter" },
    { kind: "ctrl", letter: "c" },
  ]);
  expect(pressesOf("", { ...NO_KEY, tab: true, shift: true })).toEqual([{ kind: "key", key: "backtab" }]);
  expect(pressesOf("c", { ...NO_KEY, ctrl: true })).toEqual([{ kind: "ctrl", letter: "c" }]);
  // Escape and q typed fast look like Alt-q.
  expect(pressesOf("q", { ...NO_KEY, meta: true })).toEqual([
    { kind: "key", key: "escape" },
    { kind: "text", text: "q" },
  ]);
});
