import { Command, Help, Option } from "commander";
import { escapeControl } from "../log.ts";
import { didYouMean } from "../config/suggest.ts";
import { defaultText, envName, longFlag, OPTION_KEYS, OPTIONS, optionOf } from "../config/options.ts";
import { type AskActions, addAskCommands } from "./ask-commands.ts";
import { formatVersion, versionInfo } from "./version.ts";

export interface CliIo {
  out(text: string): void;
  err(text: string): void;
  /** Width of the terminal, for help. */
  columns?: number;
}

const HELP_COLUMNS = 100;

const EXAMPLES = `
Examples:
  ayaflow                                   watch the interfaces with a default route
  ayaflow -i eth0 --data-retention 30d      watch eth0, keep a month of history
  ayaflow doctor -c /etc/ayaflow.yaml       can it run here with this configuration?
  ayaflow config check -c /etc/ayaflow.yaml show the merged configuration and where it comes from
  ayaflow top                               watch the running agent in the terminal
  ayaflow history host 10.0.0.7 --since -1h what that host talked to in the last hour, and how much
  ayaflow inspect --dns capture.pcap        names and lookups in a capture file
  curl http://127.0.0.1:3000/api/live       ask the running agent

Flags go over AYAFLOW_* variables, those over the file of --config, that over the defaults.
`;

function collect(value: string, previous: unknown): string[] {
  return Array.isArray(previous) ? [...(previous as string[]), value] : [value];
}

/** The flags of the table as commander's options; defaults stay with the table, so that a flag given can be told. */
function addConfigOptions(program: Command): void {
  for (const key of OPTION_KEYS) {
    const { flags, help, group, default: value } = optionOf(key);
    const text = `${help} (default: ${defaultText(key)}; env: ${envName(key)})`;
    const option = new Option(flags, text).helpGroup(`${group}:`);
    if (Array.isArray(value)) option.argParser(collect);
    program.addOption(option);
    if (typeof value === "boolean") {
      program.addOption(new Option(longFlag(key).replace("--", "--no-")).hideHelp());
    }
  }
  program.addOption(
    new Option("-c, --config <file>", "YAML file with any of these options (env: AYAFLOW_CONFIG)").helpGroup(
      "Configuration:",
    ),
  );
}

/** The configuration flags that were given, by YAML key, and `config`. */
export function givenFlags(program: Command): Record<string, unknown> {
  const flags: Record<string, unknown> = {};
  for (const key of OPTION_KEYS) {
    const name = new Option(OPTIONS[key].flags).attributeName();
    if (program.getOptionValueSource(name) === "cli") flags[key] = program.getOptionValue(name);
  }
  if (program.getOptionValueSource("config") === "cli") flags.config = program.getOptionValue("config");
  return flags;
}

/** Words that a command has as options, and the words of `unknown` that are values of those. */
function withoutValues(unknown: readonly string[], options: readonly Option[]): string[] {
  const rest: string[] = [];
  for (let index = 0; index < unknown.length; index++) {
    const word = unknown[index] ?? "";
    if (word === "--") break;
    rest.push(word);
    // Such as -1h of --since.
    if (options.some(({ required, short, long }) => required && (short === word || long === word))) index++;
  }
  return rest;
}

/** The command line as it is described: nothing is printed, no command does anything. */
export function describedProgram(): Command {
  const nothing = {
    run: async () => {},
    doctor: async () => {},
    version: async () => {},
    inspect: async () => {},
    configCheck: async () => {},
    history: async () => {},
    stats: async () => {},
    health: async () => {},
    top: async () => {},
    completion: async () => {},
    complete: async () => {},
  };
  return buildProgram({ out: () => {}, err: () => {} }, nothing);
}

/** Every option of `argv` that no command has, one line each, and the configuration flags that are known. */
export function unknownOptions(argv: readonly string[]): {
  problems: string[];
  flags: Record<string, unknown>;
} {
  const program = describedProgram();
  const options = [
    program,
    ...program.commands,
    ...program.commands.flatMap(({ commands }) => commands),
  ].flatMap((command) => command.options);
  const known = options
    .flatMap(({ short, long }) => [short, long])
    .filter((name) => name !== undefined && name !== null);
  const accepted = [...known, "-h", "--help"];
  try {
    const { unknown } = program.parseOptions([...argv]);
    const wrong = withoutValues(unknown, options)
      .filter((word) => word.startsWith("-") && word !== "-")
      .map((word) => word.split("=", 1)[0] ?? word)
      .filter((name) => !accepted.includes(name));
    const longNames = accepted.filter((name) => name.startsWith("--")).map((name) => name.slice(2));
    const problems = wrong.map(
      (name) =>
        `${escapeControl(name)}: unknown option${didYouMean(name.replace(/^-+/, ""), longNames, "--")}`,
    );
    return { problems, flags: givenFlags(program) };
  } catch {
    // A flag without its value: commander says so when it parses for good.
    return { problems: [], flags: {} };
  }
}

export interface Actions extends AskActions {
  run(): Promise<void>;
  doctor(options: { json: boolean }): Promise<void>;
  version(options: { json: boolean; licenses: boolean }): Promise<void>;
  inspect(path: string, options: { json: boolean; dns: boolean }): Promise<void>;
  configCheck(): Promise<void>;
}

/**
 * The command line. The options of the configuration belong to the program itself, so they may stand before or after
 * the command, and `run` is what it does without one.
 */
export function buildProgram(io: CliIo, actions: Actions): Command {
  const program = new Command("ayaflow");
  const takesConfig = new Set<Command>();
  program
    .description("Shows who talks to whom on this host, how much, now and in the past.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      getOutHelpWidth: () => io.columns ?? HELP_COLUMNS,
      getErrHelpWidth: () => io.columns ?? HELP_COLUMNS,
      outputError: (text, write) => write(text.replace(/^error: /, "ayaflow: ")),
    })
    .configureHelp({
      visibleOptions(this: Help, command) {
        const own = Help.prototype.visibleOptions.call(this, command);
        return takesConfig.has(command)
          ? [...own, ...program.options.filter((option) => !option.hidden)]
          : own;
      },
    })
    .showHelpAfterError('Run "ayaflow --help" for usage.')
    .helpOption("-h, --help", "show help")
    .version(formatVersion(versionInfo()), "-V, --version", "show the version")
    .helpCommand("help [command]", "show help for a command");
  addConfigOptions(program);

  const run = program
    .command("run")
    .description("watch the traffic and serve the API (this is what it does without a command)")
    .action(() => actions.run());
  addAskCommands(program, actions);
  const doctor = program
    .command("doctor")
    .description("check whether the agent can run here: one line each, with the remedy; exit 1 if it can not")
    .option("--json", "as JSON")
    .action((options: { json?: boolean }) => actions.doctor({ json: options.json === true }));
  program
    .command("version")
    .description("show the version, the commit, Bun and the architecture, or the licences")
    .option("--json", "as JSON")
    .addOption(
      new Option("--licenses", "what it contains of others, with the licences' full texts").conflicts("json"),
    )
    .action((options: { json?: boolean; licenses?: boolean }) =>
      actions.version({ json: options.json === true, licenses: options.licenses === true }),
    );
  program
    .command("inspect")
    .description("name the connections of a capture file (pcap, pcapng; - for standard input); needs no root")
    .argument("<file>", "the capture")
    .option("--json", "one JSON object a connection, one a line")
    .option("--dns", "DNS lookups as well")
    .action((path: string, options: { json?: boolean; dns?: boolean }) =>
      actions.inspect(path, { json: options.json === true, dns: options.dns === true }),
    );
  const config = program.command("config").description("look at the configuration");
  const check = config
    .command("check")
    .description("show the merged configuration with the source of every value; exit 2 if anything is wrong")
    .action(() => actions.configCheck());
  for (const command of [run, doctor, check]) takesConfig.add(command);

  // Only the program itself takes excess words: they are unknown commands, which commander cannot tell here.
  return program
    .allowExcessArguments()
    .addHelpText("after", EXAMPLES)
    .action(() => actions.run());
}
