import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { QUESTION_ORDERS } from "../history/question-types.ts";
import type { AskFlags } from "./ask-target.ts";
import { COMPLETE_COMMAND, type Shell, SHELLS } from "./completion-shells.ts";
import type { HistoryFlags } from "./history-request.ts";

export interface TopFlags extends AskFlags {
  /** Seconds. */
  interval: number;
  ascii?: boolean;
  color: boolean;
}

/** What the commands that ask do; the words are those of the filter. */
export interface AskActions {
  history(words: readonly string[], flags: HistoryFlags & AskFlags): Promise<void>;
  stats(flags: AskFlags & { json?: boolean }): Promise<void>;
  health(flags: AskFlags & { strict?: boolean }): Promise<void>;
  top(words: readonly string[], flags: TopFlags): Promise<void>;
  completion(shell: Shell): Promise<void>;
  /** What could stand in place of the last word of a command line. */
  complete(words: readonly string[]): Promise<void>;
}

const MIN_INTERVAL = 0.1;
const MAX_INTERVAL = 3600;

const HISTORY_EXAMPLES = `
Examples:
  ayaflow history                                     the largest conversations of the last hour
  ayaflow history host 10.0.0.7 --since 03:12 --until 03:13
  ayaflow history 'domain *.github.com' --since -1d --by domain --top 20
  ayaflow history 'port 443 and bytes > 1MB' --by client --step 5m
  ayaflow history --rows --since -10m --csv > rows.csv

Filters are words as in tcpdump: host, port, proto, domain, iface and more, with and, or, not and ( ).
Quote what the shell would change: * ( ) < >.
Without --url and --db the agent of the configuration is asked, or its database if it does not run.
`;

function interval(text: string): number {
  const seconds = text.trim() === "" ? Number.NaN : Number(text);
  if (seconds >= MIN_INTERVAL && seconds <= MAX_INTERVAL) return seconds;
  throw new InvalidArgumentError(`Give seconds from ${MIN_INTERVAL} to ${MAX_INTERVAL}.`);
}

const urlOption = () =>
  new Option("--url <url>", "ask the agent there (default: the one of the configuration)");
const tokenOption = () =>
  new Option(
    "--token-file <file>",
    "file with the token of the API (AYAFLOW_API_TOKEN gives the token itself)",
  );
const fileOption = () =>
  new Option("--db <file>", "read this database instead; also while an agent writes to it, or none runs");

/** Adds the commands that ask a running agent, or its database, and `completion`. */
export function addAskCommands(program: Command, actions: AskActions): void {
  program
    .command("top")
    .description("watch connections, names and talkers in the terminal, as top(1) does")
    .argument("[filter...]", "show only what matches")
    .addOption(urlOption())
    .addOption(tokenOption())
    .addOption(new Option("--interval <seconds>", "time between two updates").default(1).argParser(interval))
    .option("--ascii", "no characters beyond ASCII")
    .option("--no-color", "no colours")
    .action((words: string[], flags: TopFlags) => actions.top(words, flags));
  program
    .command("history")
    .description("what talked to whom in the past, and how much: sums, time series, or single rows")
    .argument("[filter...]", "only what matches, such as: host 10.0.0.0/8 and port 443")
    .option(
      "--since <time>",
      "from then on: 03:12, yesterday 03:12, -1h, 2026-01-31T12:00:00Z (default: -1h)",
    )
    .option("--until <time>", "until then, the same forms (default: now)")
    .option(
      "--by <keys>",
      "sum by these, a comma list: client, server, port, proto, iface, name, registered_domain, source, " +
        "client_network, server_network (default: client,server,port,proto,name)",
    )
    .option("--top <number>", "groups to show, the largest (default: 20; 5 with --step)")
    .addOption(new Option("--order <sum>", "what is largest (default: bytes)").choices([...QUESTION_ORDERS]))
    .option("--step <time>", "a time series: one line for each 30s, 5m, 1h, 1d, or auto")
    .option("--rows", "single rows of history, newest first")
    .option("--limit <number>", "rows to list at most (default: 10000)")
    .option("--json", "the answer as JSON, as the API gives it")
    .option("--csv", "as CSV (RFC 4180), exact numbers")
    .option("--ndjson", "one JSON object a line")
    .addOption(urlOption())
    .addOption(fileOption())
    .addOption(tokenOption())
    .addHelpText("after", HISTORY_EXAMPLES)
    .action((words: string[], flags: HistoryFlags & AskFlags) => actions.history(words, flags));
  program
    .command("stats")
    .description("what the agent sees now: rates, coverage, losses, and what its history covers")
    .option("--json", "as JSON")
    .addOption(urlOption())
    .addOption(fileOption())
    .addOption(tokenOption())
    .action((flags: AskFlags & { json?: boolean }) => actions.stats(flags));
  program
    .command("health")
    .description("ask the running agent how it is, for probes: exit 0 if it answers, 1 if not within 3 s")
    .option("--strict", "exit 1 also when it is degraded")
    .addOption(urlOption())
    .addOption(tokenOption())
    .action((flags: AskFlags & { strict?: boolean }) => actions.health(flags));
  program
    .command("completion")
    .description(
      "print the script that completes this command line in a shell: source <(ayaflow completion bash)",
    )
    .addArgument(new Argument("<shell>", "the shell").choices([...SHELLS]))
    .action((shell: Shell) => actions.completion(shell));
  program
    .command(COMPLETE_COMMAND, { hidden: true })
    .argument("[words...]")
    .action((words: string[]) => actions.complete(words));
}
