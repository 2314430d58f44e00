/** What is known of a connection by name once, however many interfaces see it; and one for each where that is asked for. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { startAgent } from "./support/agent.ts";
import { metricSum } from "./support/answers.ts";
import { VETH } from "./support/lab.ts";
import { serveDns } from "./support/name-servers.ts";
import { BRIDGE, createPathLab, UPLINK } from "./support/path-lab.ts";
import { both, download, type LiveAnswer, namesOf, PORT, serve, type Stats } from "./support/path-traffic.ts";
import { waitFor } from "./support/wait.ts";

setDefaultTimeout(60_000);

test("a handshake is looked into once, and a lookup is one, however many interfaces see them", async () => {
  await using lab = await createPathLab("routed");
  await serve(lab);
  await serveDns(lab.server, ["--local=/example/", `--host-record=host.example,${lab.server.ipv4}`]);
  const args = ["--interface", `${BRIDGE},${UPLINK}`, "--deep-inspect"];
  await using agent = await startAgent(lab.middle, lab.folder, { args });
  const questions = ["host.example", "nobody.example", "host.example"];
  for (const name of questions) await lab.client.exec(["dig", "+tries=1", `@${lab.server.ipv4}`, name, "A"]);
  const toServer = ["--resolve", `www.example:${PORT}:${lab.server.ipv4}`];
  await lab.client.exec([
    "curl",
    "--silent",
    "--max-time",
    "20",
    ...toServer,
    `http://www.example:${PORT}/10`,
  ]);

  const connection = await waitFor(async () => {
    const { connections } = await agent.get<LiveAnswer>(`/api/live?port=${PORT}`);
    return connections.find((one) => one.domain !== null);
  }, "the connection gets no name");
  expect([connection.domain, connection.domain_source]).toEqual(["www.example", "http"]);
  expect(namesOf(connection)).toEqual([VETH, BRIDGE, UPLINK]);
  const found = await agent.get<LiveAnswer>("/api/live?domain=www.example");
  expect([found.matched, found.connections[0]?.id]).toEqual([1, connection.id]);

  // Those of the further interfaces come with the same events, or would by the next sweep.
  const swept = async () => metricSum(await agent.text("/metrics"), "ayaflow_sweep_duration_seconds_count");
  const sweeps = await swept();
  await waitFor(async () => (await swept()) > sweeps + 1, "no sweep comes");
  const { lookups } = await agent.get<{ lookups: { name: string; interface: string; rcode: string }[] }>(
    "/api/dns",
  );
  expect(lookups.map(({ name }) => name).toSorted()).toEqual(questions.toSorted());
  expect(new Set(lookups.map((lookup) => lookup.interface))).toEqual(new Set([VETH]));
  const metrics = await agent.text("/metrics");
  expect(metricSum(metrics, "ayaflow_inspections_total", 'protocol="http"')).toBe(1);
  expect(metricSum(metrics, "ayaflow_inspections_total", 'protocol="dns"')).toBe(2 * questions.length);
  expect(metricSum(metrics, "ayaflow_dns_responses_total")).toBe(questions.length);
  expect(metricSum(metrics, "ayaflow_dns_unanswered_total")).toBe(0);
});

test("--no-merge-interfaces has one connection for each interface, as the interfaces count", async () => {
  await using lab = await createPathLab("routed");
  await serve(lab);
  const args = ["--interface", `${BRIDGE},${UPLINK}`, "--no-merge-interfaces"];
  await using agent = await startAgent(lab.middle, lab.folder, { args });
  const [counted] = await download(lab);
  if (counted === undefined) throw new Error("nothing was counted");
  const { packets } = both(counted);
  const live = await waitFor(async () => {
    const now = await agent.get<LiveAnswer>(`/api/live?port=${PORT}`);
    return now.total_packets >= 3 * packets && now.matched === 3 ? now : null;
  }, "the three are not there");
  expect(new Set(live.connections.map((one) => namesOf(one).join()))).toEqual(
    new Set([BRIDGE, UPLINK, VETH]),
  );
  expect(live.total_packets).toBe(3 * packets);
  expect((await agent.get<Stats>("/api/stats")).duplicate_packets).toBe(0);
});
