/** Servers that the tests of names talk to, at one end of a lab. */
import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { End, Lab } from "./lab.ts";
import { exec, type Program } from "./process.ts";
import { WEB_SERVER } from "./web-server.ts";

export const DNS_PORT = 53;
export const HTTPS_PORT = 443;

/** The programs of its namespace see this file in place of the host's: `ip netns exec` gives each its own mounts. */
const WITH_RESOLV_CONF = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
const DNSMASQ_OPTIONS =
  "--keep-in-foreground --conf-file=/dev/null --pid-file= --user=root --no-resolv --no-hosts --bind-interfaces".split(
    " ",
  );
const CERTIFICATE_OPTIONS = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" ");

export interface Certificate {
  key: string;
  certificate: string;
  /** SHA-256 of its public key, Base64: what chromium can be told to trust. */
  spki: string;
}

/** Makes a key and a certificate for one name, in the lab's folder. */
export async function makeCertificate(lab: Lab, name: string): Promise<Certificate> {
  const [key, certificate] = [lab.path(`${name}.key`), lab.path(`${name}.pem`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  const files = ["-keyout", key, "-out", certificate];
  await exec(["openssl", "req", ...CERTIFICATE_OPTIONS, ...subject, ...files]);
  const { publicKey } = new X509Certificate(await readFile(certificate));
  const spki = createHash("sha256").update(publicKey.export({ type: "spki", format: "der" }));
  return { key, certificate, spki: spki.digest("base64") };
}

/** HTTP/2 and HTTP/1.1 over TLS on port 443 of one end, any family. */
export async function serveWeb(end: End, { key, certificate }: Certificate): Promise<Program> {
  const server = end.spawn([process.execPath, WEB_SERVER, String(HTTPS_PORT), key, certificate]);
  await server.listening("tcp", HTTPS_PORT);
  return server;
}

export interface Http3Options {
  port?: number;
  /** Answers a first packet with Retry (RFC 9000 section 8.1.2). */
  retries?: boolean;
}

/** HTTP/3 on a UDP port of one end, 443 unless given, any family: the server of ngtcp2 serves the files of `folder`. */
export async function serveHttp3(
  end: End,
  { key, certificate }: Certificate,
  folder: string,
  { port = HTTPS_PORT, retries = false }: Http3Options = {},
): Promise<Program> {
  const options = ["--quiet", `--htdocs=${folder}`, ...(retries ? ["--validate-addr"] : [])];
  const server = end.spawn(["gtlsserver", ...options, "*", String(port), key, certificate]);
  await server.listening("udp", port);
  return server;
}

/** A dnsmasq on one end that knows what the records say, as its own options, and nothing else. */
export async function serveDns(end: End, records: readonly string[]): Promise<Program> {
  const server = end.spawn(["dnsmasq", ...DNSMASQ_OPTIONS, `--listen-address=${end.ipv4}`, ...records]);
  await server.listening("udp", DNS_PORT);
  return server;
}

/** `command`, run where the lab's server end is the only name server. */
export async function withResolver(lab: Lab, command: readonly string[]): Promise<string[]> {
  const file = lab.path("resolv.conf");
  await Bun.write(file, `nameserver ${lab.server.ipv4}\n`);
  return ["sh", "-c", WITH_RESOLV_CONF, file, ...command];
}
