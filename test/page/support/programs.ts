/** Real programs that talk across a lab: a resolver, web servers, iperf3, and their clients. */
import { type Lab, VETH } from "../../lab/support/lab.ts";
import { makeCertificate, serveDns, serveWeb, withResolver } from "../../lab/support/name-servers.ts";
import { HTTP_SERVER } from "../../support/http-server.ts";

const [HTTP_PORT, IPERF_PORT] = [80, 5201];
const CURL = ["curl", "--silent", "--show-error", "--fail", "--insecure", "--ipv4", "--output", "/dev/null"];

/** Named by TLS, asked for by name, so that each has its lookup. */
export const TLS_NAMES = ["www.shop.example", "api.shop.example", "git.example.net"] as const;
/** Named by HTTP, and large. */
export const HTTP_NAME = "files.example.org";
/** There is no such name, says the resolver. */
export const MISSING_NAMES = ["gone.example", "nobody.example"] as const;

/** Names have addresses of their own: what shares one with a name that was looked up is named after it. */
const ADDRESSES: readonly [name: string, address: string][] = [...TLS_NAMES, HTTP_NAME].map((name, index) => [
  name,
  `10.77.0.${10 + index}`,
]);

/** Starts the servers and waits until each listens. */
export async function startPrograms(lab: Lab): Promise<void> {
  const { server } = lab;
  for (const [, address] of ADDRESSES)
    await server.namespace.ip("address", "add", `${address}/24`, "dev", VETH);
  const records = ADDRESSES.map(([name, address]) => `--host-record=${name},${address}`);
  await serveDns(server, ["--local=/example/", ...records]);
  await serveWeb(server, await makeCertificate(lab, "shop.example"));
  await server.spawn([process.execPath, HTTP_SERVER, String(HTTP_PORT)]).listening("tcp", HTTP_PORT);
  await server.spawn(["iperf3", "--server", "--port", String(IPERF_PORT)]).listening("tcp", IPERF_PORT);
}

/** Each of the clients once, one after another. */
export async function runPrograms(lab: Lab): Promise<void> {
  const { client, server } = lab;
  for (const [index, name] of TLS_NAMES.entries()) {
    const pages = Array.from({ length: 1 + index * 20 }, (_, page) => `https://${name}/${page}`);
    const everyPage = pages.flatMap((page) => ["--output", "/dev/null", page]);
    await client.exec(await withResolver(lab, [...CURL, ...everyPage]));
  }
  await client.exec(await withResolver(lab, [...CURL, `http://${HTTP_NAME}/bytes/2500000`]));
  for (const name of MISSING_NAMES) await client.exec(["dig", `@${server.ipv4}`, "+tries=1", name, "A"]);
  await client.exec(["iperf3", "-c", server.ipv4, "-n", "8M"]);
}
