/** The real programs of the demo: servers at one end, clients at the other, and the clients' own reports. */
import { setTimeout as delay } from "node:timers/promises";
import type { End, Lab } from "../lab/support/lab.ts";
import { exec } from "../lab/support/process.ts";
import { HTTP_SERVER } from "../support/http-server.ts";

const DOMAIN = "shop.example";
const PORT = { dns: 53, http: 80, https: 443, iperf: 5201 };

type Family = "ipv4" | "ipv6";

/** What a client says it has done. */
export interface Report {
  requests: number;
  /** Payload without any header; 0 where the program does not tell. */
  bytes: number;
}

export interface Service {
  name: string;
  protocol: string;
  port: number;
  family: Family;
  /** How AyaFlow shows one request: as so many connections, or as one packet each way. */
  perRequest: { connections: number } | "packet";
  pauseMs: number;
  /** One request; `turn` counts up. */
  request(lab: Lab, turn: number): Promise<Report>;
}

const CURL = ["curl", "--silent", "--show-error", "--fail", "--insecure", "--output", "/dev/null"];
const CERTIFICATE = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
const DNSMASQ = ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root"];
// Some three seconds.
const BULK = ["-n", "60M", "-b", "160M"];

/** `curl` on the web server at one address of the server's end. */
async function curl(lab: Lab, family: Family, scheme: "http" | "https", path: string): Promise<Report> {
  const address = family === "ipv6" ? `[${lab.server.ipv6}]` : lab.server.ipv4;
  const resolve = `${DOMAIN}:${PORT[scheme]}:${address}`;
  const url = `${scheme}://${DOMAIN}${path}`;
  const command = [...CURL, "--write-out", "%{size_download}", "--resolve", resolve, url];
  const { stdout } = await lab.client.exec(command);
  return { requests: 1, bytes: Number(stdout) };
}

async function dig(lab: Lab, turn: number): Promise<Report> {
  const [type, expected] = turn % 2 === 0 ? ["A", lab.server.ipv4] : ["AAAA", lab.server.ipv6];
  const { stdout } = await lab.client.exec([
    "dig",
    `@${lab.server.ipv4}`,
    "+short",
    "+tries=1",
    DOMAIN,
    type,
  ]);
  if (stdout.trim() !== expected) throw new Error(`dig ${type} ${DOMAIN}: ${stdout}`);
  return { requests: 1, bytes: 0 };
}

async function iperf3(lab: Lab): Promise<Report> {
  const { stdout } = await lab.client.exec(["iperf3", "-c", lab.server.ipv4, ...BULK, "-J"]);
  const report: { end: { sum_sent: { bytes: number } } } = JSON.parse(stdout);
  return { requests: 1, bytes: report.end.sum_sent.bytes };
}

function web(
  name: string,
  family: Family,
  scheme: "http" | "https",
  path: (turn: number) => string,
): Service {
  return {
    name,
    protocol: "TCP",
    port: PORT[scheme],
    family,
    perRequest: { connections: 1 },
    pauseMs: 350,
    request: (lab, turn) => curl(lab, family, scheme, path(turn)),
  };
}

export const SERVICES: readonly Service[] = [
  web("HTTP, IPv4", "ipv4", "http", (turn) => `/bytes/${5_000 * (1 + (turn % 20))}`),
  web("HTTP, IPv6", "ipv6", "http", (turn) => `/bytes/${20_000 * (1 + (turn % 10))}`),
  web("TLS, IPv4", "ipv4", "https", () => "/"),
  web("TLS, IPv6", "ipv6", "https", () => "/"),
  {
    name: "DNS",
    protocol: "UDP",
    port: PORT.dns,
    family: "ipv4",
    perRequest: "packet",
    pauseMs: 250,
    request: dig,
  },
  {
    name: "bulk (iperf3)",
    protocol: "TCP",
    port: PORT.iperf,
    family: "ipv4",
    // One for control, one for data.
    perRequest: { connections: 2 },
    pauseMs: 200,
    request: iperf3,
  },
];

async function startTls(end: End, lab: Lab): Promise<void> {
  const [key, certificate] = [lab.path("key.pem"), lab.path("certificate.pem")];
  const names = ["-subj", `/CN=${DOMAIN}`, "-keyout", key, "-out", certificate];
  await exec(["openssl", "req", ...CERTIFICATE, ...names]);
  for (const address of [end.ipv4, `[${end.ipv6}]`]) {
    const accept = `${address}:${PORT.https}`;
    const options = ["-cert", certificate, "-key", key, "-www"];
    const server = end.spawn(["openssl", "s_server", "-accept", accept, ...options]);
    await server.printed(/ACCEPT/);
  }
}

/** Starts the servers and waits until each listens. */
export async function startServers(lab: Lab): Promise<void> {
  const { server } = lab;
  await startTls(server, lab);
  const http = server.spawn([process.execPath, HTTP_SERVER, String(PORT.http)]);
  const zone = [server.ipv4, server.ipv6].map((address) => `--address=/${DOMAIN}/${address}`);
  const sources = ["--no-resolv", "--no-hosts", "--bind-interfaces", `--listen-address=${server.ipv4}`];
  const dns = server.spawn([...DNSMASQ, ...sources, ...zone]);
  const bulk = server.spawn(["iperf3", "--server", "--port", String(PORT.iperf)]);
  await http.listening("tcp", PORT.http);
  await dns.listening("udp", PORT.dns);
  await bulk.listening("tcp", PORT.iperf);
}

/** Sends requests one after another until `stop`; a request under way is finished. Resolves to all it did. */
export async function runService(service: Service, lab: Lab, stop: AbortSignal): Promise<Report> {
  const total = { requests: 0, bytes: 0 };
  for (let turn = 0; !stop.aborted; turn++) {
    const report = await service.request(lab, turn);
    total.requests += report.requests;
    total.bytes += report.bytes;
    await delay(service.pauseMs, undefined, { signal: stop }).catch(() => undefined);
  }
  return total;
}
