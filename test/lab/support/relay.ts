/** Makes a TCP port inside a namespace reachable from outside, by way of a Unix socket: file names have no namespace. */
import { createServer, connect, type NetConnectOpts, type Server, type Socket } from "node:net";
import { existsSync } from "node:fs";
import { once } from "node:events";
import type { Namespace } from "./namespace.ts";
import { waitFor } from "./wait.ts";

/** A server that passes each connection on to `target`; half-closed ends stay half-closed. */
function forwarder(target: NetConnectOpts): Server {
  return createServer({ allowHalfOpen: true }, (near: Socket) => {
    const far = connect({ ...target, allowHalfOpen: true });
    near.pipe(far);
    far.pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
  });
}

export interface Relay extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, outside. */
  url: string;
}

/** Relays a free port of this process's own loopback to `port` on the namespace's. `socket` is a path to make. */
export async function openRelay(namespace: Namespace, port: number, socket: string): Promise<Relay> {
  const inside = namespace.spawn([process.execPath, import.meta.path, socket, String(port)]);
  await waitFor(
    () => existsSync(socket) || !inside.running,
    () => `the relay is not ready: ${inside.stderr}`,
  );
  const server = forwarder({ path: socket });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await inside.stop();
    },
  };
}

if (import.meta.main) {
  const [socket, port] = process.argv.slice(2);
  forwarder({ host: "127.0.0.1", port: Number(port) }).listen(socket);
}
