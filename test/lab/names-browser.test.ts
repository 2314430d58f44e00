import { expect, setDefaultTimeout, test } from "bun:test";
import { Capture, tsharkFields } from "./support/capture.ts";
import { browse } from "./support/chromium.ts";
import { createLab, type Lab } from "./support/lab.ts";
import {
  type Certificate,
  HTTPS_PORT,
  makeCertificate,
  serveDns,
  serveHttp3,
  serveWeb,
} from "./support/name-servers.ts";
import {
  ENDS,
  expectNames,
  expectSoon,
  lookupsOf,
  type NamedConnection,
  watchBothEnds,
} from "./support/names.ts";

setDefaultTimeout(60_000);

const DOMAIN = "shop.example";
const HTTP3_PAGE = "<p>over HTTP/3</p>";
/** What a segment of an MTU of 1500 carries at most. */
const SEGMENT = 1460;
/** As tshark writes the numbers of the protocol, the extension and the group. */
const TCP = "6";
const ENCRYPTED_CLIENT_HELLO = "65037";
const X25519MLKEM768 = "4588";

async function serve(lab: Lab): Promise<Certificate> {
  const certificate = await makeCertificate(lab, DOMAIN);
  await Bun.write(lab.path("www/index.html"), HTTP3_PAGE);
  await serveWeb(lab.server, certificate);
  await serveHttp3(lab.server, certificate, lab.path("www"));
  await serveDns(lab.server, [`--address=/${DOMAIN}/${lab.server.ipv4}`]);
  return certificate;
}

interface Hello {
  length: number;
  /** X25519MLKEM768 is among the key shares. */
  isPostQuantum: boolean;
  ech: boolean;
}

/** The ClientHello of each transport as tshark reads it; chromium may open more connections than one. */
async function hellos(file: string): Promise<Record<string, Hello>> {
  const handshake = ["length", "extension.type", "extensions_key_share_group"];
  const fields = ["ip.proto", ...handshake.map((name) => `tls.handshake.${name}`)];
  const rows = await tsharkFields(file, fields, { filter: "tls.handshake.type == 1" });
  return Object.fromEntries(
    rows.map(([protocol, length, extensions, groups]) => [
      protocol === TCP ? "TCP" : "UDP",
      {
        length: Number(length),
        isPostQuantum: groups?.split(",").includes(X25519MLKEM768) === true,
        ech: extensions?.split(",").includes(ENCRYPTED_CLIENT_HELLO) === true,
      },
    ]),
  );
}

function pick({ protocol, domain, domain_source, alpn, tls_version, ech, ja4 }: NamedConnection) {
  return {
    protocol,
    domain,
    domain_source,
    alpn,
    tls_version,
    ech,
    ja4: ja4?.replace(/\d{4}|_.*/g, "") ?? null,
  };
}

for (const offloads of [false, true]) {
  test(`chromium's names over HTTP/2 and HTTP/3, offloads ${offloads ? "on" : "off"}`, async () => {
    await using lab = await createLab({ offloads });
    const { spki } = await serve(lab);
    await using watchers = await watchBothEnds(lab);
    const capture = await Capture.start(lab.client, lab.path("hellos.pcap"), `port ${HTTPS_PORT}`);
    const url = `https://${DOMAIN}/index.html`;
    expect(await browse(lab, url, spki, ["--disable-quic"])).toContain("HTTP/2.0 /index.html");
    const forced = `--origin-to-force-quic-on=${DOMAIN}:${HTTPS_PORT}`;
    expect(await browse(lab, url, spki, [forced])).toContain(HTTP3_PAGE);
    await capture.stop();

    const { TCP: tcp, UDP: udp } = await hellos(lab.path("hellos.pcap"));
    // A post-quantum key share does not fit into one segment or Initial packet.
    for (const hello of [tcp, udp]) {
      expect(hello?.isPostQuantum).toBe(true);
      expect(hello?.length).toBeGreaterThan(SEGMENT);
    }
    const common = { domain: DOMAIN, tls_version: "TLS 1.3" };
    const overTcp = { protocol: "TCP", domain_source: "sni", alpn: ["h2", "http/1.1"], ja4: "t13dh2" };
    const overUdp = { protocol: "UDP", domain_source: "quic", alpn: ["h3"], ja4: "q13dh3" };
    await expectNames(watchers, HTTPS_PORT, pick, [
      { ...common, ...overTcp, ech: tcp?.ech === true },
      { ...common, ...overUdp, ech: udp?.ech === true },
    ]);
    for (const end of ENDS) {
      const resolved = async () => {
        const lookups = await lookupsOf(watchers[end]);
        const own = lookups.filter(({ name, type }) => name === DOMAIN && type === "A");
        return own.some(({ answers }) => answers.includes(lab.server.ipv4));
      };
      await expectSoon(resolved, true);
    }
  });
}
