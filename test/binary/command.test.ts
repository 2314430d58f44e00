import { describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINARY, startAgent } from "../lab/support/agent.ts";
import { statsAfter } from "../lab/support/answers.ts";
import { bpfObjectsOf, remaining } from "../lab/support/bpf.ts";
import { createLab, VETH } from "../lab/support/lab.ts";
import { exec } from "../lab/support/process.ts";
import { waitFor } from "../lab/support/wait.ts";

const run = (...args: string[]) => exec([BINARY, ...args], { check: false });

describe("the command line of the executable", () => {
  test("version", async () => {
    expect((await run("version")).stdout).toMatch(/^ayaflow \d+\.\d+\.\d+ \(/);
  });

  test("every problem at once, exit code 2", async () => {
    const { exitCode, stderr, stdout } = await run(
      "--port",
      "99999",
      "--listen",
      "nowhere",
      "--aggregation-window",
      "-1",
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    for (const name of ["--port", "99999", "--listen", "nowhere", "--aggregation-window"])
      expect(stderr).toContain(name);
  });

  test("interfaces that are not there, exit code 2", async () => {
    const database = join(tmpdir(), "never-made.db");
    const { exitCode, stderr } = await run("--interface", "nosuch0,other0", "--db-path", database);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--interface: .*nosuch0.*\n.*--interface: .*other0/);
    expect(stderr).not.toContain("    at ");
  });

  test("nothing in the working directory steers it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "ayaflow-cwd-"));
    await writeFile(join(folder, ".env"), "AYAFLOW_PORT=1\nAYAFLOW_LOG_LEVEL=nonsense\n");
    await writeFile(join(folder, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
    await writeFile(join(folder, "evil.ts"), 'console.log("evil");\n');
    const { exitCode, stdout } = await exec(["env", `--chdir=${folder}`, BINARY, "config", "check"], {
      check: false,
    });
    await rm(folder, { recursive: true });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("port: 3000");
    expect(stdout).not.toContain("evil");
  });
});

describe("a running agent", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`${signal}: flushes the last window, detaches, exits 0`, async () => {
      await using lab = await createLab();
      await using agent = await startAgent(lab.server, lab.folder, {
        args: ["--aggregation-window", "3600"],
      });
      await lab.client.exec(["ping", "-c", "4", "-i", "0.05", lab.server.ipv4]);
      await statsAfter(agent, 8);
      const objects = bpfObjectsOf(agent.program.pid);
      const { exitCode, stderr } = await agent.stop(signal);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringContaining("ERROR") });
      using database = new Database(agent.dbPath, { readonly: true });
      const [row] = database
        .query<{ sent: number; received: number }, []>(
          "SELECT sum(packets_sent) AS sent, sum(packets_received) AS received FROM rows JOIN conversations ON conversation_id = conversations.id WHERE protocol = 1",
        )
        .all();
      expect(row).toEqual({ sent: 4, received: 4 });
      await waitFor(async () => (await remaining(objects)).length === 0, `something remains after ${signal}`);
    });
  }

  test("a second one on the same database or port is refused and harms nothing", async () => {
    await using lab = await createLab();
    await using agent = await startAgent(lab.server, lab.folder);
    const second = (...args: string[]) =>
      lab.server.exec([BINARY, "--interface", VETH, ...args], { check: false });
    const sameDatabase = await second("--port", "3001", "--db-path", agent.dbPath);
    expect(sameDatabase.exitCode).toBe(1);
    expect(sameDatabase.stderr).toContain(agent.dbPath);
    const samePort = await second("--port", "3000", "--db-path", lab.path("other.db"));
    expect(samePort.exitCode).toBe(1);
    expect(samePort.stderr).toContain("127.0.0.1:3000");
    await lab.client.exec(["ping", "-c", "1", lab.server.ipv4]);
    expect((await statsAfter(agent, 2)).coverage).toBe(1);
  });

  test("clsact where it is asked for: counts, and leaves no filter", async () => {
    await using lab = await createLab();
    await using agent = await startAgent(lab.server, lab.folder, { args: ["--attach-mode", "clsact"] });
    const filters = async () =>
      (await lab.server.exec(["tc", "filter", "show", "dev", VETH, "ingress"])).stdout;
    expect(await filters()).toContain("ayaflow_ingress");
    await lab.client.exec(["ping", "-c", "2", "-i", "0.05", lab.server.ipv4]);
    expect((await statsAfter(agent, 4)).coverage).toBe(1);
    await agent.stop();
    expect(await filters()).toBe("");
  });

  test("a killed agent's clsact filter is taken over by the next", async () => {
    await using lab = await createLab();
    const options = { args: ["--attach-mode", "clsact"] };
    {
      await using killed = await startAgent(lab.server, lab.folder, options);
      await killed.stop("SIGKILL");
    }
    await using agent = await startAgent(lab.server, lab.folder, options);
    await lab.client.exec(["ping", "-c", "1", lab.server.ipv4]);
    await statsAfter(agent, 2);
    const { stdout } = await lab.server.exec(["tc", "filter", "show", "dev", VETH, "ingress"]);
    expect(stdout.match(/ayaflow_ingress/g)).toHaveLength(2);
  });
});
