import { CommanderError } from "commander";
import type { Environment } from "../config/environment.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { didYouMean } from "../config/suggest.ts";
import type { Config } from "../config/types.ts";
import { AyaflowError, EXIT_FAILURE, EXIT_USAGE, errorMessage, UsageError } from "../errors.ts";
import { escapeControl } from "../log.ts";
import type { TopOptions } from "../top/types.ts";
import type { AgentTarget, AskFlags, AskTarget } from "./ask-target.ts";
import { formatConfig } from "./config-check.ts";
import type { HistoryRequest } from "./history-request.ts";
import { buildProgram, type CliIo, givenFlags, unknownOptions } from "./program.ts";
import { formatVersion, versionInfo } from "./version.ts";

/** The commands that need more than configuration; import what they need when called. They give the exit code. */
export interface CliHandlers {
  /** `reload` reads the whole configuration again: the same flags and environment, the files anew. */
  run(loaded: LoadedConfig, reload: () => Promise<LoadedConfig>): Promise<number>;
  doctor(config: Config, options: { json: boolean }): Promise<number>;
  inspect(path: string, options: { json: boolean; dns: boolean }): Promise<number>;
  history(request: HistoryRequest, target: AskTarget): Promise<number>;
  stats(options: { json: boolean }, target: AskTarget): Promise<number>;
  health(options: { strict: boolean }, agent: AgentTarget): Promise<number>;
  top(options: TopOptions): Promise<number>;
  licenses(): Promise<number>;
}

const USAGE_HINT = 'run "ayaflow --help" for usage';

function report(error: unknown, io: CliIo): number {
  if (error instanceof CommanderError) {
    // Commander has printed its message; help and version are not failures.
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  if (error instanceof AyaflowError) {
    const lines = error instanceof UsageError ? error.problems : [error.message];
    for (const line of lines) io.err(`ayaflow: ${line}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error && error.stack !== undefined ? error.stack : errorMessage(error);
  io.err(`ayaflow: internal error: ${text}\n`);
  return EXIT_FAILURE;
}

/** What is wrong with the configuration apart from the flags that are not known. */
async function configProblems(flags: Record<string, unknown>, env: Environment): Promise<readonly string[]> {
  try {
    await loadConfig({ flags, env });
    return [];
  } catch (error) {
    return error instanceof UsageError ? error.problems : [];
  }
}

/**
 * Runs one command line (`argv` without the program) and gives the exit code: 0 done, 1 failure, 2 the command line or
 * the configuration is wrong. Never throws; never ends the process.
 */
export async function runCli(
  argv: readonly string[],
  env: Environment,
  handlers: CliHandlers,
  io: CliIo,
): Promise<number> {
  const unknown = unknownOptions(argv);
  if (unknown.problems.length > 0) {
    const others = await configProblems(unknown.flags, env);
    return report(new UsageError([...unknown.problems, ...others, USAGE_HINT]), io);
  }
  let exitCode = 0;
  const load = (): Promise<LoadedConfig> => loadConfig({ flags: givenFlags(program), env });
  const warn = (warnings: readonly string[]) => {
    for (const warning of warnings) io.err(`ayaflow: warning: ${warning}\n`);
  };
  const loadAndWarn = async (): Promise<LoadedConfig> => {
    const loaded = await load();
    warn(loaded.warnings);
    return loaded;
  };
  const target = async (flags: AskFlags): Promise<AskTarget> => {
    const { resolveTarget } = await import("./ask-target.ts");
    return resolveTarget(flags, await loadAndWarn(), env);
  };
  const program = buildProgram(io, {
    async run() {
      const [word] = program.args;
      const commands = program.commands
        .map((command) => command.name())
        .filter((name) => !name.startsWith("_"));
      if (word !== undefined && !commands.includes(word)) {
        const hint = didYouMean(word, commands) || `; commands are ${commands.join(", ")}`;
        throw new UsageError([`unknown command "${escapeControl(word)}"${hint}`, USAGE_HINT]);
      }
      exitCode = await handlers.run(await load(), load);
    },
    async doctor(options) {
      exitCode = await handlers.doctor((await loadAndWarn()).config, options);
    },
    async version({ json, licenses }) {
      if (licenses) {
        exitCode = await handlers.licenses();
        return;
      }
      const info = versionInfo();
      io.out(json ? `${JSON.stringify(info)}\n` : `${formatVersion(info)}\n`);
    },
    async inspect(path, options) {
      exitCode = await handlers.inspect(path, options);
    },
    async configCheck() {
      io.out(formatConfig(await loadAndWarn()));
    },
    async history(words, flags) {
      const { readRequest } = await import("./history-request.ts");
      const request = readRequest(words, flags, Date.now());
      exitCode = await handlers.history(request, await target(flags));
    },
    async stats(flags) {
      exitCode = await handlers.stats({ json: flags.json === true }, await target(flags));
    },
    async health(flags) {
      const { resolveAgent } = await import("./ask-target.ts");
      const agent = resolveAgent(flags, await loadAndWarn(), env);
      exitCode = await handlers.health({ strict: flags.strict === true }, agent);
    },
    async top(words, { interval, ascii, color, ...flags }) {
      const { resolveAgent } = await import("./ask-target.ts");
      const { url, token } = resolveAgent(flags, await loadAndWarn(), env);
      exitCode = await handlers.top({
        url,
        token,
        filter: words.join(" "),
        intervalMs: interval * 1000,
        ascii: ascii === true,
        color,
      });
    },
    async completion(shell) {
      io.out((await import("./completion-scripts.ts")).SCRIPTS[shell]);
    },
    async complete(words) {
      const { complete, formatCompletions } = await import("./completion.ts");
      io.out(formatCompletions(await complete(program, words)));
    },
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error, io);
  }
}
