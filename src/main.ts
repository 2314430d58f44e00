import { runCli } from "./cli/cli.ts";

/** Where commands that ask write to, and what the terminal there can show. */
async function outputs() {
  const { standardIo } = await import("./cli/command-io.ts");
  const { thisTerminal } = await import("./cli/ask-terminal.ts");
  return [standardIo(), thisTerminal()] as const;
}

const exitCode = await runCli(
  process.argv.slice(2),
  process.env,
  {
    run: async (config, warnings) => (await import("./cli/run.ts")).run(config, warnings),
    doctor: async (config, options) => (await import("./cli/doctor-command.ts")).doctor(config, options),
    inspect: async (path, options) => {
      const [io] = await outputs();
      return await (await import("./cli/inspect-command.ts")).inspect(path, options, io);
    },
    history: async (request, target) =>
      (await import("./cli/history-command.ts")).history(request, target, ...(await outputs())),
    stats: async (options, target) =>
      (await import("./cli/stats-command.ts")).stats(options, target, ...(await outputs())),
    top: async (options) => (await import("./top/top.ts")).top(options),
  },
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    ...(process.stdout.columns === undefined ? {} : { columns: process.stdout.columns }),
  },
);
process.exit(exitCode);
