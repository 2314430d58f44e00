import { expect, setDefaultTimeout, test } from "bun:test";
import type { RunningAgent } from "./support/agent.ts";
import { createLab, type End } from "./support/lab.ts";
import { HTTPS_PORT, makeCertificate, serveWeb } from "./support/name-servers.ts";
import { connectionsOn, ENDS, expectNames, type NamedConnection, watchBothEnds } from "./support/names.ts";
import { exec } from "./support/process.ts";

setDefaultTimeout(60_000);

const PQ_GROUP = "X25519MLKEM768";
const hasPqGroup = (await exec(["openssl", "list", "-kem-algorithms"])).stdout.includes(PQ_GROUP);
/** More than a segment holds, as the hellos of post-quantum clients are. */
const MANY_PROTOCOLS = Array.from({ length: 40 }, (_, index) => `protocol-${index}-`.padEnd(60, "x"));
const MAX_SHOWN_PROTOCOLS = 16;

interface Client {
  name: string;
  /** The program that asks for `name` at `host`, an address. */
  command: (name: string, host: string) => string[];
  family?: "ipv4" | "ipv6";
  expected: Partial<NamedConnection>;
}

const CURL = ["curl", "--silent", "--show-error", "--insecure", "--output", "/dev/null"];

const curl =
  (...options: string[]) =>
  (name: string, host: string) => {
    const resolve = `${name}:${HTTPS_PORT}:${host}`;
    return [...CURL, ...options, "--resolve", resolve, `https://${name}/`];
  };

const openssl =
  (...options: string[]) =>
  (name: string, host: string) => {
    const asked = name === "" ? ["-noservername"] : ["-servername", name];
    return ["openssl", "s_client", "-connect", `${host}:${HTTPS_PORT}`, ...asked, ...options];
  };

const HTTP = ["h2", "http/1.1"];
const CLIENTS: Client[] = [
  { name: "tls13.example", command: curl(), expected: { tls_version: "TLS 1.3", alpn: HTTP } },
  {
    name: "tls12.example",
    command: curl("--tls-max", "1.2"),
    expected: { tls_version: "TLS 1.2", alpn: HTTP },
  },
  {
    name: "old.example",
    command: curl("--http1.1", "--tls-max", "1.2"),
    expected: { tls_version: "TLS 1.2", alpn: ["http/1.1"] },
  },
  {
    name: "six.example",
    family: "ipv6",
    command: curl(),
    expected: { tls_version: "TLS 1.3", alpn: HTTP },
  },
  { name: "openssl.example", command: openssl(), expected: { tls_version: "TLS 1.3", alpn: [] } },
  {
    name: "long.example",
    command: openssl("-alpn", [...MANY_PROTOCOLS, "http/1.1"].join(",")),
    expected: { tls_version: "TLS 1.3", alpn: MANY_PROTOCOLS.slice(0, MAX_SHOWN_PROTOCOLS) },
  },
  {
    name: "",
    command: openssl("-tls1_2"),
    expected: { domain: null, domain_source: null, tls_version: "TLS 1.2", alpn: [] },
  },
  ...(hasPqGroup
    ? [
        {
          name: "pq.example",
          command: openssl("-groups", PQ_GROUP),
          expected: { tls_version: "TLS 1.3", alpn: [] },
        },
      ]
    : []),
];

async function runClients(from: End, to: End): Promise<void> {
  for (const { name, command, family = "ipv4" } of CLIENTS) {
    const host = family === "ipv6" ? `[${to.ipv6}]` : to.ipv4;
    await from.exec(command(name, host), { stdin: "" });
  }
}

function pick(connection: NamedConnection): Partial<NamedConnection> {
  const { client_ip, domain, domain_source, tls_version, alpn, ech } = connection;
  return { client_ip, domain, domain_source, tls_version, alpn, ech };
}

function expectedFrom(from: End): Partial<NamedConnection>[] {
  return CLIENTS.map(({ name, family = "ipv4", expected }) => ({
    client_ip: from[family],
    domain: name,
    domain_source: "sni",
    ...expected,
    ech: false,
  }));
}

/** Fingerprints of the clients at one end by the name they asked for, as one agent has them. */
async function fingerprints(agent: RunningAgent, from: End): Promise<Record<string, string>> {
  const connections = await connectionsOn(agent, HTTPS_PORT);
  const own = connections.filter(({ client_ip }) => [from.ipv4, from.ipv6].includes(client_ip));
  return Object.fromEntries(own.map(({ domain, ja4 }) => [domain ?? "", ja4 ?? "none"]));
}

for (const offloads of [false, true]) {
  test(`real clients' names over TLS, asked from either end, offloads ${offloads ? "on" : "off"}`, async () => {
    await using lab = await createLab({ ipv6: true, offloads });
    const certificate = await makeCertificate(lab, "shop.example");
    for (const end of ENDS) await serveWeb(lab[end], certificate);
    await using watchers = await watchBothEnds(lab);
    await runClients(lab.client, lab.server);
    await runClients(lab.server, lab.client);
    const expected = [...expectedFrom(lab.client), ...expectedFrom(lab.server)];
    await expectNames(watchers, HTTPS_PORT, pick, expected);

    const known = await fingerprints(watchers.client, lab.client);
    for (const end of ENDS) {
      // One client has one fingerprint, wherever it is and wherever it is seen.
      expect(await fingerprints(watchers.server, lab[end])).toEqual(known);
    }
    expect(known).toMatchObject({
      "tls13.example": expect.stringMatching(/^t13d\d{4}h2_/),
      "tls12.example": expect.stringMatching(/^t12d\d{4}h2_/),
      "old.example": expect.stringMatching(/^t12d\d{4}h1_/),
      "long.example": expect.stringMatching(/^t13d\d{4}px_/),
      "": expect.stringMatching(/^t12i\d{4}00_/),
    });
  });
}
