import { expect, setDefaultTimeout, test } from "bun:test";
import { loadRules } from "./support/counters.ts";
import { createLab, type Lab, VETH } from "./support/lab.ts";
import { HTTPS_PORT, makeCertificate, serveWeb } from "./support/name-servers.ts";
import { connectionsOn, ENDS, expectNames, type NamedConnection, watchBothEnds } from "./support/names.ts";

setDefaultTimeout(60_000);

/** Some 2,900 bytes of hello: three segments. */
const MANY_PROTOCOLS = Array.from({ length: 40 }, (_, index) => `protocol-${index}-`.padEnd(60, "x"));
const LONG_HELLO = ["-alpn", [...MANY_PROTOCOLS, "http/1.1"].join(",")];
/** Of a packet that holds one; the others of these connections are shorter. */
const SEGMENT = "meta length > 1400";
const ONCE = "numgen inc mod 100000 == 0";

const pick = ({ domain, domain_source }: NamedConnection) => ({ domain, domain_source });
const named = (domain: string) => ({ domain, domain_source: "sni" });

async function longHello(lab: Lab, name: string): Promise<void> {
  const asked = ["-connect", `${lab.server.ipv4}:${HTTPS_PORT}`, "-servername", name, ...LONG_HELLO];
  await lab.client.exec(["openssl", "s_client", ...asked], { stdin: "" });
}

const retransmits = ({ stats }: NamedConnection) => stats.retransmits_sent + stats.out_of_order_sent;

test("a first segment that never left and came last", async () => {
  await using lab = await createLab();
  const { client } = lab;
  // TCP hands over several segments as one packet otherwise, offloads or not.
  await client.namespace.ip("link", "set", "dev", VETH, "gso_max_segs", "1");
  await serveWeb(lab.server, await makeCertificate(lab, "shop.example"));
  await using watchers = await watchBothEnds(lab);
  const rule = `tcp dport ${HTTPS_PORT} ${SEGMENT} ${ONCE} counter name lost drop;`;
  await loadRules(
    client.namespace,
    `table ip lossy { counter lost { }; chain out { type filter hook output priority 0; ${rule} }; }`,
  );
  await longHello(lab, "late.example");
  const { stdout } = await client.exec(["nft", "list", "counters"]);
  expect(stdout).toContain("packets 1 ");
  await expectNames(watchers, HTTPS_PORT, pick, [named("late.example")]);
});

test("a first segment that came twice, since it was lost behind both agents", async () => {
  await using lab = await createLab();
  const { client, server } = lab;
  await client.namespace.ip("link", "set", "dev", VETH, "gso_max_segs", "1");
  await serveWeb(server, await makeCertificate(lab, "shop.example"));
  await using watchers = await watchBothEnds(lab);
  const rule = `tcp dport ${HTTPS_PORT} ${SEGMENT} ${ONCE} drop;`;
  await loadRules(
    server.namespace,
    `table ip lossy { chain in { type filter hook input priority 0; ${rule} }; }`,
  );
  await longHello(lab, "twice.example");
  await expectNames(watchers, HTTPS_PORT, pick, [named("twice.example")]);
  for (const end of ENDS) {
    const [connection] = await connectionsOn(watchers[end], HTTPS_PORT);
    expect(connection === undefined ? 0 : retransmits(connection)).toBeGreaterThan(0);
  }
});
