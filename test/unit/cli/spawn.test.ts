import { expect, test } from "bun:test";

/** The command line in a process of its own, as a user's shell would see it. */
function ayaflow(args: string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    [process.execPath, `${import.meta.dir}/main.fixture.ts`, ...args],
    { env },
  );
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

test("exit code 0: output on stdout, nothing on stderr", () => {
  const { exitCode, stdout, stderr } = ayaflow(["--port", "8080"]);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ port: 8080, warnings: [] });
  expect(stderr).toBe("");
});

test("exit code 1 is the handler's", () => expect(ayaflow(["doctor"]).exitCode).toBe(1));

test("exit code 2: every problem on stderr, nothing on stdout", () => {
  const { exitCode, stdout, stderr } = ayaflow(["run", "--port", "x"], { AYAFLOW_LISTEN: "y" });
  expect(exitCode).toBe(2);
  expect(stdout).toBe("");
  expect(stderr.trim().split("\n")).toEqual([
    'ayaflow: --port: "x" is not allowed; give a whole number from 0 to 65535',
    'ayaflow: AYAFLOW_LISTEN: "y" is not allowed; give an IPv4 or IPv6 address, for example 127.0.0.1, 0.0.0.0 or ::1',
  ]);
});
