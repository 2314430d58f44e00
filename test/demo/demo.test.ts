import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { Program } from "../lab/support/process.ts";
import { join } from "node:path";

const DEMO = join(import.meta.dir, "demo.ts");
const TIMEOUT_MS = 60_000;

function namespacesOf(pid: number): string[] {
  return existsSync("/run/netns")
    ? readdirSync("/run/netns").filter((name) => name.includes(`-t${pid}-`))
    : [];
}

test(
  "the demo sees what was sent and cleans up",
  async () => {
    const demo = new Program([process.execPath, DEMO, "--seconds", "3"]);
    const { stdout, stderr, exitCode } = await demo.exited();
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toEndWith("Seen = sent. All cleaned up.\n");
    expect(stdout).not.toContain("DIFFERS");
    expect(namespacesOf(demo.pid)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "Ctrl-C ends a kept demo with its summary and cleans up",
  async () => {
    const demo = new Program([process.execPath, DEMO, "--keep"]);
    await demo.printed(/coverage 1/, TIMEOUT_MS);
    expect(namespacesOf(demo.pid)).toHaveLength(2);
    const { stdout, exitCode } = await demo.stop("SIGINT", TIMEOUT_MS);
    expect(exitCode).toBe(0);
    expect(stdout).toEndWith("Seen = sent. All cleaned up.\n");
    expect(namespacesOf(demo.pid)).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "a signal before the traffic begins cleans up as well",
  async () => {
    const demo = new Program([process.execPath, DEMO]);
    await demo.printed(/api\/stats/, TIMEOUT_MS);
    const { stdout, exitCode } = await demo.stop("SIGTERM", TIMEOUT_MS);
    expect(exitCode).toBe(130);
    expect(stdout).toEndWith("Interrupted. All cleaned up.\n");
    expect(namespacesOf(demo.pid)).toEqual([]);
  },
  TIMEOUT_MS,
);
