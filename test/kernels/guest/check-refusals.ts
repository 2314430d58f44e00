/** What lacks, and what the executable says then: one clear line, exit code 1, never a crash. */
import { Agent, BINARY } from "./agent.ts";
import { bringUp, CABLE, makePair } from "./pair.ts";
import { type Ended, run } from "./programs.ts";
import { check, expectEqual, expectThat } from "./report.ts";
import { echo } from "./traffic.ts";

const METHOD = process.env.AYAFLOW_METHOD ?? "";
const PORT = 9300;

/** A line of `doctor` that must be there. */
function expectLine({ out, error }: Ended, pattern: RegExp): void {
  expectThat(
    out.split("\n").some((line) => pattern.test(line)),
    `no line like ${pattern} in:\n${out}${error}`,
  );
}

function inNamespace(namespace: string, ...command: string[]): Promise<Ended> {
  return run(["ip", "netns", "exec", namespace, ...command], false);
}

/** Before sch_ingress and cls_bpf are loaded; nothing in a guest loads them by itself. */
export async function checkWithoutModules(): Promise<void> {
  const pair = await makePair();
  const { namespace } = pair.server;
  const database = ["--db-path", "/tmp/refused.db"];
  await check("no modules", async () => {
    const clsact = [BINARY, "--interface", CABLE, "--attach-mode", "clsact", ...database];
    const refused = await inNamespace(namespace, ...clsact);
    expectEqual("exit code", refused.code, 1);
    expectThat(/modprobe sch_ingress cls_bpf/.test(refused.error), `no remedy in: ${refused.error}`);
    const doctor = [BINARY, "doctor", "--interface", CABLE, "--attach-mode", "clsact", ...database];
    expectLine(
      await inNamespace(namespace, ...doctor),
      /^(warn|fail) +attach .*modprobe sch_ingress cls_bpf/,
    );
    if (METHOD !== "tcx") return "refused, with a remedy";
    const agent = await Agent.start(namespace, { interfaces: CABLE });
    await bringUp(pair);
    await echo(pair, pair.server.ipv4, PORT, [100]);
    await agent.connection(PORT, (one) => one.stats.packets_count === 2);
    expectEqual("exit code after SIGTERM", await agent.end("SIGTERM"), 0);
    return "TCX needs none";
  });
}

/** As a user without capabilities, to whom bpf(2) is refused. */
export async function checkWithoutPrivilege(): Promise<void> {
  const pair = await makePair();
  const { namespace } = pair.server;
  const asNobody = (command: string) =>
    inNamespace(namespace, "/busybox/su", "-s", "/bin/sh", "nobody", "-c", command);
  const rest = `--interface ${CABLE} --db-path /tmp/nobody.db`;
  await check("no privilege", async () => {
    const refused = await asNobody(`${BINARY} ${rest}`);
    expectEqual("exit code", refused.code, 1);
    expectThat(/Run as root, or with CAP_BPF/.test(refused.error), `no remedy in: ${refused.error}`);
    const doctor = await asNobody(`${BINARY} doctor ${rest}`);
    expectEqual("exit code of doctor", doctor.code, 1);
    expectLine(doctor, /^fail +capabilities .*setcap cap_bpf/);
    expectLine(doctor, /^fail +bpf /);
    return "refused, with a remedy";
  });
}
