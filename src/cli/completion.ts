import { readdirSync } from "node:fs";
import type { Command, Option } from "commander";
import { LOG_FORMATS, LOG_LEVELS } from "../log.ts";
import { ATTACH_MODES } from "../config/types.ts";
import { GROUP_KEYS } from "../history/question-types.ts";

export interface Candidate {
  text: string;
  /** What it means, in a few words; blank where it speaks for itself. */
  hint: string;
}

/** What could stand in place of the last word: files of the shell's own, or these. */
export interface Completions {
  kind: "files" | "words";
  candidates: Candidate[];
}

const FILES: Completions = { kind: "files", candidates: [] };
const NETWORK = "/sys/class/net";

function interfaces(): string[] {
  try {
    return readdirSync(NETWORK);
  } catch {
    return [];
  }
}

/** Values of options that commander does not know; those that end in a comma list take several. */
const VALUES: Readonly<Record<string, () => readonly string[]>> = {
  "--interface": () => ["auto", ...interfaces()],
  "--attach-mode": () => ATTACH_MODES,
  "--log-level": () => LOG_LEVELS,
  "--log-format": () => LOG_FORMATS,
  "--by": () => [...GROUP_KEYS, "name", "port", "proto", "iface"],
  "--since": () => ["-15m", "-1h", "-1d", "-7d", "yesterday", "today"],
  "--until": () => ["now", "-15m", "-1h", "-1d", "yesterday", "today"],
  "--step": () => ["auto", "10s", "1m", "5m", "1h", "1d"],
};
const LISTS: ReadonlySet<string> = new Set(["--interface", "--by"]);

const plain = (texts: readonly string[]): Candidate[] => texts.map((text) => ({ text, hint: "" }));

function beginningWith(candidates: readonly Candidate[], beginning: string): Completions {
  return { kind: "words", candidates: candidates.filter(({ text }) => text.startsWith(beginning)) };
}

function findOption(options: readonly Option[], word: string): Option | undefined {
  return options.find(({ short, long }) => short === word || long === word);
}

/** Values of an option that go on with `partial`. */
function valuesOf(option: Option, partial: string): Completions {
  if (/<file>/.test(option.flags)) return FILES;
  const long = option.long ?? "";
  const values = option.argChoices ?? VALUES[long]?.() ?? [];
  if (!LISTS.has(long)) return beginningWith(plain(values), partial);
  const given = partial.slice(0, partial.lastIndexOf(",") + 1);
  const used = given.split(",");
  return beginningWith(
    plain(values.filter((value) => !used.includes(value)).map((value) => given + value)),
    partial,
  );
}

/** The command that the words before the last have come to, and its operands. */
interface Position {
  command: Command;
  operands: string[];
  /** The last word is the value of this. */
  awaiting: Option | undefined;
  /** A -- came: what follows is no option. */
  isLiteral: boolean;
}

function walk(program: Command, words: readonly string[]): Position {
  const position: Position = { command: program, operands: [], awaiting: undefined, isLiteral: false };
  for (const word of words) {
    const { command } = position;
    if (position.awaiting !== undefined) position.awaiting = undefined;
    else if (word === "--" && !position.isLiteral) position.isLiteral = true;
    else if (word.startsWith("-") && !position.isLiteral) {
      const option = findOption([...command.options, ...program.options], word);
      position.awaiting = option?.required === true ? option : undefined;
    } else {
      const inner =
        position.operands.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
      if (inner === undefined) position.operands.push(word);
      else position.command = inner;
    }
  }
  return position;
}

/** Commands that take the options of the configuration show them; the others only the file that holds them. */
function optionsFor(program: Command, command: Command): Candidate[] {
  const asks = command.options.some(({ long }) => long === "--url") || command.registeredArguments.length > 0;
  const ofProgram = asks ? program.options.filter(({ long }) => long === "--config") : program.options;
  const options = command === program ? program.options : [...command.options, ...ofProgram];
  const visible = options.filter(({ hidden, long }) => !hidden && long !== undefined && long !== null);
  return [
    ...visible.map(({ long, description }) => ({ text: long ?? "", hint: description })),
    { text: "--help", hint: "show help" },
  ];
}

function commandsOf(command: Command): Candidate[] {
  const visible = command.createHelp().visibleCommands(command);
  return visible.map((one) => ({ text: one.name(), hint: one.description() }));
}

async function filterCandidates(before: readonly string[], word: string): Promise<Completions> {
  const { completeFilter } = await import("../filter/complete.ts");
  const text = [...before, word].join(" ");
  const wordStart = text.length - word.length;
  const candidates = completeFilter(text, text.length, { interface: interfaces() }).flatMap(
    ({ text: next, from, hint }) =>
      from < wordStart ? [] : { text: text.slice(wordStart, from) + next, hint },
  );
  return { kind: "words", candidates };
}

async function operandsFor({ command, operands }: Position, word: string): Promise<Completions> {
  const argument = command.registeredArguments.at(
    Math.min(operands.length, command.registeredArguments.length - 1),
  );
  if (argument?.name() === "filter") return await filterCandidates(operands, word);
  if (argument?.name() === "file") return FILES;
  const choices = operands.length === 0 ? (argument?.argChoices ?? []) : [];
  const commands = operands.length === 0 ? commandsOf(command) : [];
  return beginningWith([...plain(choices), ...commands], word);
}

/** What could stand in place of the last of `words`, the words of a command line without the program. */
export async function complete(program: Command, words: readonly string[]): Promise<Completions> {
  const word = words.at(-1) ?? "";
  const position = walk(program, words.slice(0, -1));
  if (position.awaiting !== undefined) return valuesOf(position.awaiting, word);
  if (position.operands[0] === "help") return beginningWith(commandsOf(program), word);
  if (!word.startsWith("-") || position.isLiteral) return await operandsFor(position, word);
  const [, name = "", value = ""] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
  if (name === "") return beginningWith(optionsFor(program, position.command), word);
  const option = findOption([...position.command.options, ...program.options], name);
  const { kind, candidates } = option === undefined ? beginningWith([], "") : valuesOf(option, value);
  return { kind, candidates: candidates.map(({ text, hint }) => ({ text: `${name}=${text}`, hint })) };
}

/** As the scripts of completion-scripts.ts read it: the kind, then a candidate a line, its hint behind a tab. */
export function formatCompletions({ kind, candidates }: Completions): string {
  const oneLine = (text: string) => text.replace(/\s+/g, " ");
  const lines = candidates.map(({ text, hint }) => (hint === "" ? text : `${text}\t${oneLine(hint)}`));
  return [kind, ...lines].map((line) => `${line}\n`).join("");
}
