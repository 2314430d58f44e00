import { expect, setDefaultTimeout, test } from "bun:test";
import { HTTP_SERVER } from "../support/http-server.ts";
import { createLab, type Lab } from "./support/lab.ts";
import { makeCertificate, serveWeb } from "./support/name-servers.ts";
import { expectNames, type NamedConnection, watchBothEnds } from "./support/names.ts";
import { PROXY_SERVER } from "./support/proxy-server.ts";
import { STARTTLS_SERVER } from "./support/starttls-server.ts";
import { WEB_SERVER } from "./support/web-server.ts";

setDefaultTimeout(60_000);

const HTTP_PORT = 80;
const HTTP2_PORT = 8080;
const PROXY_PORT = 3128;
/** By the name that openssl has for each. */
const STARTTLS_PORTS = { smtp: 587, imap: 143, pop3: 110, postgres: 5432 };
const CURL = ["curl", "--silent", "--show-error", "--insecure"];

async function serveHttp({ server }: Lab): Promise<void> {
  const http = server.spawn([process.execPath, HTTP_SERVER, String(HTTP_PORT)]);
  const http2 = server.spawn([process.execPath, WEB_SERVER, String(HTTP2_PORT)]);
  await http.listening("tcp", HTTP_PORT);
  await http2.listening("tcp", HTTP2_PORT);
}

function pick({ domain, domain_source, tls_version, alpn }: NamedConnection) {
  return { domain, domain_source, tls_version, alpn };
}

const plain = (domain: string) => ({
  domain,
  domain_source: "http",
  tls_version: null,
  alpn: [] as string[],
});
const secure = (domain: string, alpn: string[]) => ({
  domain,
  domain_source: "sni",
  tls_version: "TLS 1.3",
  alpn,
});

test("HTTP/1.1 and HTTP/2 without TLS are named by the host that is asked for", async () => {
  await using lab = await createLab({ ipv6: true });
  const { client, server } = lab;
  await serveHttp(lab);
  await using watchers = await watchBothEnds(lab);
  const get = (host: string, port: number, address: string, ...options: string[]) =>
    client.exec([
      ...CURL,
      ...options,
      "--resolve",
      `${host}:${port}:${address}`,
      `http://${host}:${port}/bytes/9`,
    ]);
  await get("Shop.Example", HTTP_PORT, server.ipv4);
  await get("six.example", HTTP_PORT, `[${server.ipv6}]`);
  await get("two.example", HTTP2_PORT, server.ipv4, "--http2-prior-knowledge");
  await expectNames(watchers, HTTP_PORT, pick, [plain("shop.example"), plain("six.example")]);
  await expectNames(watchers, HTTP2_PORT, pick, [plain("two.example")]);
});

test("connections through a proxy have the name that is asked for through it", async () => {
  await using lab = await createLab();
  const { client, server } = lab;
  await serveHttp(lab);
  await serveWeb(server, await makeCertificate(lab, "shop.example"));
  const proxy = server.spawn([process.execPath, PROXY_SERVER, String(PROXY_PORT)]);
  await proxy.listening("tcp", PROXY_PORT);
  await using watchers = await watchBothEnds(lab);
  const address = `${server.ipv4}:${PROXY_PORT}`;
  const get = async (url: string, ...options: string[]) => {
    const { stdout } = await client.exec([...CURL, "--write-out", "%{http_code}", ...options, url]);
    expect(stdout).toMatch(/200$/);
  };
  await get("http://whole.example/bytes/9", "--proxy", `http://${address}`);
  await get("http://tunnel.example/bytes/9", "--proxytunnel", "--proxy", `http://${address}`);
  await get("https://connect.example/", "--proxy", `http://${address}`);
  await get("https://socks.example/", "--socks5-hostname", address);
  await get("http://plain-socks.example/bytes/9", "--socks5-hostname", address);
  await expectNames(watchers, PROXY_PORT, pick, [
    plain("whole.example"),
    plain("tunnel.example"),
    secure("connect.example", ["h2", "http/1.1"]),
    secure("socks.example", ["h2", "http/1.1"]),
    plain("plain-socks.example"),
  ]);
});

test("TLS that starts inside SMTP, IMAP, POP3 and PostgreSQL tells its name", async () => {
  await using lab = await createLab();
  const { client, server } = lab;
  const { key, certificate } = await makeCertificate(lab, "mail.example");
  for (const [protocol, port] of Object.entries(STARTTLS_PORTS)) {
    const files = [key, certificate];
    const program = server.spawn([process.execPath, STARTTLS_SERVER, protocol, String(port), ...files]);
    await program.listening("tcp", port);
  }
  await using watchers = await watchBothEnds(lab);
  for (const [protocol, port] of Object.entries(STARTTLS_PORTS)) {
    const asked = ["-starttls", protocol, "-servername", `${protocol}.example`];
    await client.exec(["openssl", "s_client", "-connect", `${server.ipv4}:${port}`, ...asked], { stdin: "" });
  }
  const mail = `curl.example:${STARTTLS_PORTS.smtp}:${server.ipv4}`;
  const url = `smtp://curl.example:${STARTTLS_PORTS.smtp}`;
  // The server ends it as soon as TLS has started, which curl reports.
  await client.exec([...CURL, "--ssl-reqd", "--resolve", mail, url], { check: false });
  for (const [protocol, port] of Object.entries(STARTTLS_PORTS)) {
    const names = protocol === "smtp" ? ["smtp.example", "curl.example"] : [`${protocol}.example`];
    await expectNames(
      watchers,
      port,
      pick,
      names.map((name) => secure(name, [])),
    );
  }
});
