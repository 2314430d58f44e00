/**
 * A proxy: `bun proxy-server.ts PORT`. CONNECT and requests for a whole URL (RFC 9110, 9112), SOCKS5 without authentication
 * (RFC 1928). Whatever name is asked for is at 127.0.0.1, on the port asked for.
 */
import { connect, createServer, type Socket } from "node:net";

export const PROXY_SERVER = import.meta.path;

const SOCKS5 = 5;
const SOCKS_NO_AUTHENTICATION = Uint8Array.of(SOCKS5, 0);
const SOCKS_SUCCEEDED = Uint8Array.of(SOCKS5, 0, 0, 1, 0, 0, 0, 0, 0, 0);
const HTTP_PORT = 80;

/** The next bytes that the socket has. */
function read(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.once("data", (bytes: Buffer) => {
      socket.pause();
      resolve(bytes);
    });
    socket.once("error", reject);
    socket.resume();
  });
}

function splice(near: Socket, port: number, first: Uint8Array | string, reply: Uint8Array | string): void {
  const far = connect(port, "127.0.0.1", () => {
    near.write(reply);
    far.write(first);
    near.pipe(far);
    far.pipe(near);
  });
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
}

async function serve(near: Socket): Promise<void> {
  const first = await read(near);
  if (first[0] === SOCKS5) {
    near.write(SOCKS_NO_AUTHENTICATION);
    const request = await read(near);
    splice(near, request.readUInt16BE(request.length - 2), "", SOCKS_SUCCEEDED);
    return;
  }
  const text = first.toString("latin1");
  const [, method, port] = /^(\w+) (?:http:\/\/)?[^/: ]+(?::(\d+))?/.exec(text) ?? [];
  if (method === "CONNECT") splice(near, Number(port), "", "HTTP/1.1 200 OK\r\n\r\n");
  else splice(near, Number(port ?? HTTP_PORT), first, "");
}

if (import.meta.main) {
  createServer((near) => {
    serve(near).catch(() => near.destroy());
  }).listen(Number(process.argv[2]), "::");
}
