import { runCli } from "./cli/cli.ts";

const exitCode = await runCli(
  process.argv.slice(2),
  process.env,
  {
    run: async (config, warnings) => (await import("./cli/run.ts")).run(config, warnings),
    doctor: async (config, options) => (await import("./cli/doctor-command.ts")).doctor(config, options),
    inspect: async (path, options) => {
      const { inspect, standardIo } = await import("./cli/inspect-command.ts");
      return await inspect(path, options, standardIo());
    },
  },
  {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    ...(process.stdout.columns === undefined ? {} : { columns: process.stdout.columns }),
  },
);
process.exit(exitCode);
