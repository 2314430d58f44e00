/** Real programs that talk across a lab, TCP and UDP. */
import type { Lab } from "../../lab/support/lab.ts";
import { WEB_SERVER } from "../../lab/support/web-server.ts";

const WEB_PORT = 8080;
const IPERF_PORT = 5201;

/** A page by curl, 2 MB by iperf3 over TCP and 200 kB over UDP, from the client to the server. */
export async function exchange(lab: Lab): Promise<void> {
  const { client, server } = lab;
  await using web = server.spawn([process.execPath, WEB_SERVER, String(WEB_PORT)]);
  await web.listening("tcp", WEB_PORT);
  const page = `http://${server.ipv4}:${WEB_PORT}/`;
  const { stdout } = await client.exec(["curl", "--silent", "--fail", "--http2-prior-knowledge", page]);
  if (!stdout.includes("HTTP/2")) throw new Error(`curl got: ${stdout}`);
  for (const what of [
    ["--bytes", "2M"],
    ["--udp", "--bitrate", "20M", "--bytes", "200K"],
  ]) {
    await using bulk = server.spawn(["iperf3", "--server", "--one-off", "--port", String(IPERF_PORT)]);
    await bulk.listening("tcp", IPERF_PORT);
    await client.exec(["iperf3", "--client", server.ipv4, "--port", String(IPERF_PORT), ...what]);
    await bulk.exited();
  }
}
