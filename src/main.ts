import { runCli } from "./cli/cli.ts";

/** Where commands that ask write to, and what the terminal there can show. */
async function outputs() {
  const { standardIo } = await import("./cli/command-io.ts");
  const { thisTerminal } = await import("./cli/ask-terminal.ts");
  return [standardIo(), thisTerminal()] as const;
}

/** Takes what capabilities the executable's file gives, for the commands that load programs. */
async function raise(): Promise<void> {
  (await import("./bpf/capabilities.ts")).raiseCapabilities();
}

const exitCode = await runCli(
  process.argv.slice(2),
  process.env,
  {
    run: async (loaded, reload) => {
      await raise();
      return await (await import("./cli/run.ts")).run(loaded, reload);
    },
    doctor: async (config, options) => {
      await raise();
      return await (await import("./cli/doctor-command.ts")).doctor(config, options);
    },
    inspect: async (path, options) => {
      const [io] = await outputs();
      return await (await import("./cli/inspect-command.ts")).inspect(path, options, io);
    },
    history: async (request, target) =>
      (await import("./cli/history-command.ts")).history(request, target, ...(await outputs())),
    stats: async (options, target) =>
      (await import("./cli/stats-command.ts")).stats(options, target, ...(await outputs())),
    health: async (options, agent) => {
      const { standardIo } = await import("./cli/command-io.ts");
      return await (await import("./cli/health-command.ts")).health(options, agent, standardIo());
    },
    licenses: async () => {
      const [io] = await outputs();
      return await (await import("./cli/licenses.ts")).printLicenses(io);
    },
    top: async (options) => (await import("./top/top.ts")).top(options),
  },
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    ...(process.stdout.columns === undefined ? {} : { columns: process.stdout.columns }),
  },
);
process.exit(exitCode);
