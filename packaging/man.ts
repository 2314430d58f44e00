/** The manual page ayaflow(1), from the same definitions as the command line. */
import type { Command, Option } from "commander";
import { describedProgram } from "../src/cli/program.ts";
import { COMMANDS_TEXT, DESCRIPTION, SECTIONS } from "./man-text.ts";
import { wrap } from "./words.ts";

/** Lines of the source, not of what is shown. */
const COLUMNS = 78;

/** Text for troff (groff_man(7)): no control lines, hyphens that can be copied. */
export function escape(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replace(/^([.'])/gm, "\\&$1");
}

/** A paragraph, in lines that people can edit. */
function filled(text: string): string {
  return escape(wrap(text, COLUMNS).join("\n"));
}

/** Prose: `word` in bold, blank lines between paragraphs, lines that begin with two blanks as they are. */
function prose(text: string): string {
  return text
    .replaceAll(/^\n+|\n+$/g, "")
    .split("\n\n")
    .map((paragraph) =>
      paragraph.startsWith("  ")
        ? `.nf\n${escape(paragraph)}\n.fi`
        : filled(paragraph).replaceAll(/`([^`]+)`/g, "\\fB$1\\fR"),
    )
    .join("\n.PP\n");
}

function optionEntry({ flags, description, argChoices }: Option): string {
  const choices = argChoices === undefined ? "" : ` (one of ${argChoices.join(", ")})`;
  return `.TP\n\\fB${escape(flags)}\\fR\n${filled(description + choices)}`;
}

const visible = (command: Command): Option[] => command.options.filter(({ hidden }) => !hidden);

/** `history [options] [filter...]` of a command below the program. */
function usage(command: Command): string {
  const parent = command.parent?.parent === null ? "" : `${command.parent?.name()} `;
  const words = command.registeredArguments.map((argument) => {
    const name = argument.variadic ? `${argument.name()}...` : argument.name();
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [`${parent}${command.name()}`, ...words].join(" ");
}

function commandEntry(command: Command): string {
  const options = visible(command).map((option) => optionEntry(option));
  const nested = options.length === 0 ? "" : `\n.RS\n${options.join("\n")}\n.RE`;
  return `.SS ${escape(usage(command))}\n${filled(`${command.description()}.`)}${nested}`;
}

function commands(program: Command): Command[] {
  return program.commands
    .filter((command) => !command.name().startsWith("_"))
    .flatMap((command) => (command.commands.length === 0 ? [command] : command.commands));
}

function optionGroups(program: Command): string {
  const groups = Map.groupBy(visible(program), ({ helpGroupHeading }) => helpGroupHeading ?? "");
  return [...groups]
    .map(([heading, options]) => {
      const title = heading === "" ? "" : `.SS ${escape(heading.replace(/:$/, ""))}\n`;
      return title + options.map((option) => optionEntry(option)).join("\n");
    })
    .join("\n");
}

/** ayaflow(1) in troff, of a version and its date (YYYY-MM-DD). */
export function manPage(version: string, date: string): string {
  const program = describedProgram();
  const sections = SECTIONS.map(([title, text]) => `.SH ${title}\n${prose(text)}`);
  return `.TH AYAFLOW 1 "${date}" "AyaFlow ${escape(version)}" "User Commands"
.nh
.ad l
.SH NAME
ayaflow \\- shows who talks to whom on this host, by which name, how much
.SH SYNOPSIS
.B ayaflow
.RI [ options ]
.RI [ command ]
.SH DESCRIPTION
${prose(DESCRIPTION)}
.SH COMMANDS
${prose(COMMANDS_TEXT)}
${commands(program).map(commandEntry).join("\n")}
.SH OPTIONS
Of the program, and of
.BR run ,
.BR doctor " and"
.BR "config check" .
${optionGroups(program)}
${sections.join("\n")}
`;
}
