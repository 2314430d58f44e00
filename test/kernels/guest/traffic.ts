/** Traffic of known size between the ends of a pair. */
import { waitFor } from "../../lab/support/wait.ts";
import { PATIENCE_MS } from "./agent.ts";
import { inside } from "./kernel.ts";
import type { Pair } from "./pair.ts";

const WILDCARD = "::";
const CHUNK = 65_536;

/** What both sides of a TCP connection send, in bytes of payload. */
export interface Transfer {
  port: number;
  /** Address of the server. */
  address: string;
  fromClient: number;
  fromServer: number;
}

/** Sends `total` bytes over a socket as it takes them. */
class Sender {
  private left: number;
  constructor(total: number) {
    this.left = total;
  }
  /** Whether all of it is with the kernel. */
  continue(socket: Bun.Socket<Sender>): boolean {
    while (this.left > 0) {
      const taken = socket.write(new Uint8Array(Math.min(this.left, CHUNK)));
      if (taken <= 0) return false;
      this.left -= taken;
    }
    return true;
  }
}

/** One TCP connection: the client sends, the server answers once it has all, and closes. */
export async function transfer({ client, server }: Pair, what: Transfer): Promise<void> {
  let atServer = 0;
  let atClient = 0;
  let closed = 0;
  const close = () => void closed++;
  const answer = (socket: Bun.Socket<Sender>) => {
    if (atServer === what.fromClient && socket.data.continue(socket)) socket.end();
  };
  const listener = await inside(server.namespace, () =>
    Bun.listen<Sender>({
      hostname: WILDCARD,
      port: what.port,
      socket: {
        open: (socket) => {
          socket.data = new Sender(what.fromServer);
        },
        data: (socket, bytes) => {
          atServer += bytes.length;
          answer(socket);
        },
        drain: answer,
        close,
      },
    }),
  );
  try {
    await inside(client.namespace, () =>
      Bun.connect<Sender>({
        hostname: what.address,
        port: what.port,
        data: new Sender(what.fromClient),
        socket: {
          open: (socket) => void socket.data.continue(socket),
          drain: (socket) => void socket.data.continue(socket),
          data: (_, bytes) => {
            atClient += bytes.length;
          },
          close,
        },
      }),
    );
    await waitFor(
      () => closed === 2 && atServer === what.fromClient && atClient === what.fromServer,
      () => `TCP on port ${what.port}: ${atServer} and ${atClient} bytes arrived, ${closed} sides closed`,
      PATIENCE_MS,
    );
  } finally {
    listener.stop(true);
  }
}

/** Datagrams of these sizes to a port of the server, each sent back. */
export async function echo(
  { client, server }: Pair,
  address: string,
  port: number,
  sizes: number[],
): Promise<void> {
  const hostname = address.includes(":") ? WILDCARD : "0.0.0.0";
  const answering = await inside(server.namespace, () =>
    Bun.udpSocket({
      hostname,
      port,
      socket: {
        data: (socket, bytes, fromPort, from) => {
          socket.send(bytes, fromPort, from);
        },
      },
    }),
  );
  let returned = 0;
  const asking = await inside(client.namespace, () =>
    Bun.udpSocket({ hostname, socket: { data: () => void returned++ } }),
  );
  try {
    for (const [index, size] of sizes.entries()) {
      asking.send(new Uint8Array(size), port, address);
      await waitFor(() => returned > index, `datagram ${index} to port ${port} never came back`, PATIENCE_MS);
    }
  } finally {
    asking.close();
    answering.close();
  }
}
