import { runCli } from "../../../src/cli/cli.ts";

process.exitCode = await runCli(
  process.argv.slice(2),
  process.env,
  {
    run: async ({ config, warnings }) => {
      process.stdout.write(`${JSON.stringify({ port: config.port, warnings })}\n`);
      return 0;
    },
    doctor: async () => 1,
    inspect: async () => 0,
    licenses: async () => 0,
    history: async () => 0,
    stats: async () => 0,
    health: async () => 0,
    top: async () => 0,
  },
  { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
);
