import { expect, setDefaultTimeout, test } from "bun:test";
import { concat } from "../support/bytes.ts";
import { clientHello, tlsRecord } from "../support/tls.ts";
import { createLab, type Lab } from "./support/lab.ts";
import {
  domainsOf,
  ENDS,
  expectNames,
  expectSoon,
  type NamedConnection,
  type Watchers,
  watchBothEnds,
} from "./support/names.ts";

setDefaultTimeout(60_000);

const TLS_PORT = 443;
const HTTP_PORT = 80;
/** Takes all it is sent and answers nothing. */
const SINK = (port: number) => `Bun.listen({hostname:"0.0.0.0",port:${port},socket:{data(){}}})`;
/** Sends each of the Base64 texts of its standard input on a connection of its own. */
const SENDER = `
  const [host, port] = process.argv.slice(1);
  for (const text of (await Bun.stdin.text()).split("\\n")) {
    await new Promise((resolve) => Bun.connect({ hostname: host, port: Number(port), socket: {
      open(socket) { socket.end(Buffer.from(text, "base64")); }, data() {}, close: resolve } }));
  }`;
/** What no terminal, log or page should be given: controls but the line end, marks that turn text around. */
const UNSAFE = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u;

const encoder = new TextEncoder();
const bytes = (...list: number[]) => Uint8Array.from(list);

/** Names as they are sent, and as they are to be shown. */
const NAMES: [Uint8Array, string][] = [
  [encoder.encode("<img src=x onerror=alert(1)>"), "<img src=x onerror=alert(1)>"],
  [encoder.encode("\"\\;'`$(id).example"), "\"\\;'`$(id).example"],
  [encoder.encode("\u001b[2J\u001b]0;title\u0007.example"), "\\033[2j\\033]0;title\\a.example"],
  [encoder.encode("a\r\nset-cookie: x\r\n.example"), "a\\r\\nset-cookie: x\\r\\n.example"],
  [encoder.encode("nul\u0000.example"), "nul\\000.example"],
  [encoder.encode("\u202egnp.example\u200b"), "\ufffdgnp.example\ufffd"],
  [encoder.encode("c1\u009b2J.example"), "c1\ufffd2j.example"],
  [
    concat(encoder.encode("latin"), bytes(0xe9, 0xff), encoder.encode(".example")),
    "latin\ufffd\ufffd.example",
  ],
  [encoder.encode("BÜCHER.Example."), "bÜcher.example"],
  [encoder.encode(`${"l".repeat(251)}.org`), `${"l".repeat(251)}.org`],
];

async function send(lab: Lab, port: number, streams: readonly Uint8Array[]): Promise<void> {
  const command = [process.execPath, "-e", SENDER, lab.server.ipv4, String(port)];
  const stdin = streams.map((stream) => Buffer.from(stream).toString("base64")).join("\n");
  await lab.client.exec(command, { stdin });
}

const pick = ({ domain, domain_source }: NamedConnection) => ({ domain, domain_source });

/** Everything that the agents say of what they saw, as it goes over the wire. */
async function answers(watchers: Watchers): Promise<string[]> {
  const paths = ["/api/live", "/api/history", "/api/domains", "/api/dns", "/metrics"];
  return await Promise.all(ENDS.flatMap((end) => paths.map((path) => watchers[end].text(path))));
}

test("names that are no names are shown so that they do no harm", async () => {
  await using lab = await createLab();
  for (const port of [TLS_PORT, HTTP_PORT]) {
    await lab.server.spawn([process.execPath, "-e", SINK(port)]).listening("tcp", port);
  }
  await using watchers = await watchBothEnds(lab, { args: ["--deep-inspect", "--aggregation-window", "1"] });
  const hellos = NAMES.map(([serverName]) =>
    tlsRecord(clientHello({ serverName, alpn: [serverName.subarray(0, 255)] })),
  );
  await send(lab, TLS_PORT, hellos);
  await expectNames(
    watchers,
    TLS_PORT,
    pick,
    NAMES.map(([, domain]) => ({ domain, domain_source: "sni" })),
  );
  const hosts = ["evil\u001b[31m.example", "<b>.example", "\u202egnp.example"];
  const requests = hosts.map((host) => encoder.encode(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
  await send(lab, HTTP_PORT, requests);
  // Two of the three cannot be host names.
  await expectNames(watchers, HTTP_PORT, pick, [
    { domain: "\ufffdgnp.example", domain_source: "http" },
    { domain: null, domain_source: null },
  ]);
  const shown = [...NAMES.map(([, domain]) => domain), "\ufffdgnp.example"].toSorted();
  for (const end of ENDS) {
    const stored = async () => (await domainsOf(watchers[end])).map(({ domain }) => domain);
    await expectSoon(async () => (await stored()).toSorted(), shown);
  }
  for (const answer of await answers(watchers))
    expect(UNSAFE.exec(answer)?.[0].charCodeAt(0)).toBeUndefined();
});
