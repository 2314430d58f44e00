import { expect, setDefaultTimeout, test } from "bun:test";
import { createLab, type Lab, VETH } from "./support/lab.ts";
import { DNS_PORT, serveDns, withResolver } from "./support/name-servers.ts";
import {
  ENDS,
  expectNames,
  expectSoon,
  type Lookup,
  lookupsOf,
  type NamedConnection,
  type Watchers,
  watchBothEnds,
} from "./support/names.ts";

setDefaultTimeout(60_000);

/** A second address of the server's end, for connections that say no name. */
const HOST = { ipv4: "10.77.0.10", ipv6: "fd00:77::10" };
const GREETING_PORT = 7000;
const GREETER = `Bun.listen({hostname:"::",port:${GREETING_PORT},socket:{open(s){s.end("welcome\\n")},data(){}}})`;
const DIG = ["dig", "+tries=1"];
const FRAGMENTED = ["+notcp", "+ignore", "+bufsize=4096"];
/** Some 3,000 bytes: three fragments of an MTU of 1500. */
const BIG_TEXT = Array.from({ length: 12 }, (_, index) => String.fromCharCode(0x61 + index).repeat(240));

async function addHost({ server }: Lab): Promise<void> {
  await server.namespace.ip("address", "add", `${HOST.ipv4}/24`, "dev", VETH);
  await server.namespace.ip("address", "add", `${HOST.ipv6}/64`, "dev", VETH, "nodad");
  const greeter = server.spawn([process.execPath, "-e", GREETER]);
  await greeter.listening("tcp", GREETING_PORT);
}

type Seen = Partial<Lookup>;

/** Waits until both ends have seen exactly these lookups, in this order; only what is `expected` of them counts. */
async function expectLookups(watchers: Watchers, expected: readonly Seen[]): Promise<void> {
  for (const end of ENDS) {
    const read = async () => {
      const lookups = await lookupsOf(watchers[end]);
      return lookups.map((lookup, index) => {
        const keys = Object.keys(expected[index] ?? lookup) as (keyof Lookup)[];
        return Object.fromEntries(keys.map((key) => [key, lookup[key]]));
      });
    };
    await expectSoon<Seen[]>(read, [...expected]);
  }
}

test("dig over UDP and TCP: each lookup is seen at both ends, with what came of it", async () => {
  await using lab = await createLab({ ipv6: true });
  const { client, server } = lab;
  await serveDns(server, [
    `--listen-address=${server.ipv6}`,
    "--local=/example/",
    `--host-record=host.example,${HOST.ipv4},${HOST.ipv6}`,
    "--cname=alias.example,host.example",
    "--cname=www.example,alias.example",
    "--mx-host=example,mail.example,10",
  ]);
  await using watchers = await watchBothEnds(lab);
  const ask = (...args: string[]) => client.exec([...DIG, ...args]);
  await ask(`@${server.ipv4}`, "host.example", "A");
  await ask(`@${server.ipv4}`, "+tcp", "HOST.example", "AAAA");
  await ask(`@${server.ipv6}`, "www.example", "A");
  await ask(`@${server.ipv6}`, "+tcp", "example", "MX");
  await ask(`@${server.ipv4}`, "nobody.example", "A");
  await ask(`@${server.ipv4}`, "elsewhere.test", "A");

  const v4 = { client: client.ipv4, server: server.ipv4, truncated: false };
  const v6 = { client: client.ipv6, server: server.ipv6, truncated: false };
  await expectLookups(watchers, [
    { ...v4, transport: "udp", name: "host.example", type: "A", rcode: "NOERROR", answers: [HOST.ipv4] },
    { ...v4, transport: "tcp", name: "host.example", type: "AAAA", rcode: "NOERROR", answers: [HOST.ipv6] },
    {
      ...v6,
      transport: "udp",
      name: "www.example",
      type: "A",
      rcode: "NOERROR",
      answers: ["alias.example", "host.example", HOST.ipv4],
    },
    { ...v6, transport: "tcp", name: "example", type: "MX", rcode: "NOERROR", answers: ["10 mail.example"] },
    { ...v4, transport: "udp", name: "nobody.example", type: "A", rcode: "NXDOMAIN", answers: [] },
    { ...v4, transport: "udp", name: "elsewhere.test", type: "A", rcode: "REFUSED", answers: [] },
  ]);
  for (const end of ENDS) {
    const latencies = (await lookupsOf(watchers[end])).map(({ latency_ms: latency }) => latency ?? -1);
    for (const latency of latencies) expect(latency).toBeGreaterThan(0);
  }
});

test("what only a lookup names has that name, the one asked for at the end of a chain of aliases", async () => {
  await using lab = await createLab({ ipv6: true });
  await addHost(lab);
  await serveDns(lab.server, [
    `--host-record=host.example,${HOST.ipv4},${HOST.ipv6}`,
    "--cname=alias.example,host.example",
    "--cname=www.example,alias.example",
    "--cname=ftp.example,alias.example",
  ]);
  await using watchers = await watchBothEnds(lab);
  const greet = async (family: "-4" | "-6", name: string) => {
    const curl = ["curl", family, "--silent", "--show-error", `telnet://${name}:${GREETING_PORT}`];
    const { stdout } = await lab.client.exec(await withResolver(lab, curl));
    expect(stdout).toBe("welcome\n");
  };
  await greet("-4", "www.example");
  await greet("-6", "ftp.example");
  const pick = ({ server_ip, domain, domain_source }: NamedConnection) => ({
    server_ip,
    domain,
    domain_source,
  });
  await expectNames(watchers, GREETING_PORT, pick, [
    { server_ip: HOST.ipv4, domain: "www.example", domain_source: "dns" },
    { server_ip: HOST.ipv6, domain: "ftp.example", domain_source: "dns" },
  ]);
});

test("an answer in fragments is read as a whole, however many come", async () => {
  await using lab = await createLab({ ipv6: true });
  const { client, server } = lab;
  await serveDns(server, [
    `--listen-address=${server.ipv6}`,
    "--edns-packet-max=4096",
    `--txt-record=big.example,${BIG_TEXT.join(",")}`,
  ]);
  await using watchers = await watchBothEnds(lab);
  // More fragments and bytes than are looked at of other connections.
  const rounds = Array.from({ length: 15 }, () => [server.ipv4, server.ipv6]).flat();
  for (const address of rounds) {
    const { stdout } = await client.exec([...DIG, ...FRAGMENTED, `@${address}`, "big.example", "TXT"]);
    expect(stdout).toContain(BIG_TEXT.at(-1) ?? "");
  }
  const whole = { name: "big.example", type: "TXT", rcode: "NOERROR", truncated: false };
  await expectLookups(
    watchers,
    rounds.map((address) => ({ ...whole, transport: "udp", server: address })),
  );
  for (const end of ENDS) {
    const answers = (await lookupsOf(watchers[end])).flatMap((lookup) => lookup.answers);
    expect(answers).toHaveLength(rounds.length);
    for (const answer of answers) expect(answer).toContain(BIG_TEXT[0] ?? "");
  }
});

test("connections to the name server itself have no name", async () => {
  await using lab = await createLab();
  await serveDns(lab.server, [`--host-record=host.example,${HOST.ipv4}`]);
  await using watchers = await watchBothEnds(lab);
  await lab.client.exec([...DIG, `@${lab.server.ipv4}`, "host.example", "A"]);
  await lab.client.exec([...DIG, "+tcp", `@${lab.server.ipv4}`, "host.example", "A"]);
  const pick = ({ protocol, domain }: NamedConnection) => ({ protocol, domain });
  await expectNames(watchers, DNS_PORT, pick, [
    { protocol: "TCP", domain: null },
    { protocol: "UDP", domain: null },
  ]);
});
