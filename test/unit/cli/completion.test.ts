import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { runCli } from "../../../src/cli/cli.ts";
import { QUESTION_ORDERS } from "../../../src/history/question-types.ts";

/** What the shell is told for the words; the last of them is being typed. */
async function complete(...words: string[]): Promise<{ kind: string; texts: string[] }> {
  let out = "";
  const never = async (): Promise<number> => {
    throw new Error("completing runs nothing");
  };
  const names = ["run", "doctor", "inspect", "history", "stats", "health", "top", "licenses"] as const;
  const handlers = Object.fromEntries(names.map((name) => [name, never])) as Record<
    (typeof names)[number],
    typeof never
  >;
  const io = { out: (text: string) => void (out += text), err: () => {} };
  expect(await runCli(["__complete", "--", ...words], {}, handlers, io)).toBe(0);
  const [kind = "", ...lines] = out.trimEnd().split("\n");
  return { kind, texts: lines.map((line) => line.split("\t")[0] ?? "") };
}

const texts = async (...words: string[]) => (await complete(...words)).texts;

describe("commands", () => {
  test("all of them, but none that is hidden", async () => {
    const found = await texts("");
    for (const name of ["run", "top", "history", "stats", "completion", "doctor", "inspect", "help"])
      expect(found).toContain(name);
    expect(found.filter((name) => name.startsWith("_"))).toEqual([]);
  });
  test.each([
    [["hi"], ["history"]],
    [["-p", "80", "hi"], ["history"]],
    [["--port=80", "hi"], ["history"]],
    [
      ["config", ""],
      ["check", "help"],
    ],
    [["help", "hi"], ["history"]],
    [
      ["completion", ""],
      ["bash", "zsh", "fish"],
    ],
    [["nonsense", ""], []],
  ])("%p", async (words, expected) => expect(await texts(...words)).toEqual(expected));
});

describe("options", () => {
  test("of the command, in any place of it", async () => {
    expect(await texts("history", "--si")).toEqual(["--since"]);
    expect(await texts("history", "port", "443", "--to")).toEqual(["--top", "--token-file"]);
    expect(await texts("run", "--max-c")).toEqual(["--max-connections"]);
    expect(await texts("--max-c")).toEqual(["--max-connections"]);
    expect(await texts("history", "--max-c")).toEqual([]);
  });
  test("but not behind --", async () => expect(await texts("inspect", "--", "--js")).toEqual([]));
  test("values that are known", async () => {
    expect(await texts("history", "--order", "")).toEqual([...QUESTION_ORDERS]);
    expect(await texts("history", "--order=pack")).toEqual([
      "--order=packets",
      "--order=packets_sent",
      "--order=packets_received",
    ]);
    expect(await texts("--log-level", "w")).toEqual(["warn"]);
    expect(await texts("--attach-mode", "t")).toEqual(["tcx"]);
    expect(await texts("history", "--top", "")).toEqual([]);
  });
  test("comma lists, each value once", async () => {
    const found = await texts("history", "--by", "client,s");
    expect(found).toEqual(["client,server", "client,server_port", "client,source", "client,server_network"]);
    expect(await texts("history", "--by", "client,cl")).toEqual(["client,client_network"]);
  });
  test("files are the shell's", async () => {
    for (const words of [
      ["history", "--db", "/tm"],
      ["history", "--token-file="],
      ["inspect", ""],
      ["-c", ""],
    ])
      expect(await complete(...words)).toEqual({ kind: "files", texts: [] });
  });
});

describe("filters", () => {
  test.each(["history", "top"])("keywords behind %s", async (command) => {
    expect(await texts(command, "po")).toContain("port");
    expect(await texts(command, "port", "443", "an")).toEqual(["and"]);
    expect(await texts(command, "port", "443", "and", "dom")).toEqual(["domain"]);
  });
  test("in one word: the whole word is replaced", async () => {
    expect(await texts("history", "port 443 and dom")).toEqual(["port 443 and domain"]);
  });
  test("go on behind options", async () => {
    expect(await texts("history", "port", "443", "--top", "5", "an")).toEqual(["and"]);
  });
  test("interfaces of this host", async () => {
    expect((await texts("history", "iface", "")).toSorted()).toEqual(
      readdirSync("/sys/class/net").toSorted(),
    );
  });
});
