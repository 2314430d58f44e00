import { setDefaultTimeout, test } from "bun:test";
import { createLab, type End } from "./support/lab.ts";
import { HTTPS_PORT, makeCertificate, serveDns, serveHttp3, withResolver } from "./support/name-servers.ts";
import { ENDS, expectNames, type NamedConnection, watchBothEnds } from "./support/names.ts";

setDefaultTimeout(60_000);

const RETRY_PORT = 4433;
const CLIENT = ["gtlsclient", "--quiet", "--exit-on-all-streams-close"];

function pick({ client_ip, domain, domain_source, alpn, tls_version }: NamedConnection) {
  return { client_ip, domain, domain_source, alpn, tls_version };
}

const named = (domain: string, client_ip: string): ReturnType<typeof pick> => ({
  client_ip,
  domain,
  domain_source: "quic",
  alpn: ["h3"],
  tls_version: "TLS 1.3",
});

for (const offloads of [false, true]) {
  test(`QUIC from either end, IPv4, IPv6, with Retry, offloads ${offloads ? "on" : "off"}`, async () => {
    await using lab = await createLab({ ipv6: true, offloads });
    const certificate = await makeCertificate(lab, "shop.example");
    await Bun.write(lab.path("www/index.html"), "<p>over HTTP/3</p>");
    for (const end of ENDS) {
      await serveHttp3(lab[end], certificate, lab.path("www"));
      await serveHttp3(lab[end], certificate, lab.path("www"), { port: RETRY_PORT, retries: true });
    }
    const records = ENDS.flatMap((end) => [
      `--host-record=four.${end}.example,${lab[end].ipv4}`,
      `--host-record=six.${end}.example,${lab[end].ipv6}`,
    ]);
    await serveDns(lab.server, records);
    await using watchers = await watchBothEnds(lab);
    const get = async (from: End, name: string, port: number) => {
      const command = [...CLIENT, name, String(port), `https://${name}/index.html`];
      await from.exec(await withResolver(lab, command));
    };
    const journeys = [
      { from: lab.client, to: "server" },
      { from: lab.server, to: "client" },
    ];
    for (const { from, to } of journeys) {
      await get(from, `four.${to}.example`, HTTPS_PORT);
      await get(from, `six.${to}.example`, HTTPS_PORT);
      await get(from, `four.${to}.example`, RETRY_PORT);
    }
    await expectNames(
      watchers,
      HTTPS_PORT,
      pick,
      journeys.flatMap(({ from, to }) => [
        named(`four.${to}.example`, from.ipv4),
        named(`six.${to}.example`, from.ipv6),
      ]),
    );
    await expectNames(
      watchers,
      RETRY_PORT,
      pick,
      journeys.map(({ from, to }) => named(`four.${to}.example`, from.ipv4)),
    );
  });
}
