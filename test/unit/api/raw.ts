import { connect, type Socket } from "node:net";

/** Sends `request` as it stands to loopback and resolves with what comes back, until the close or `isEnough`. */
export function rawRequest(
  port: number,
  request: string,
  isEnough: (answer: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(request));
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      answer += text;
      if (isEnough(answer)) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

/** The HTTP status of a GET with the header lines given. */
export async function rawStatus(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers });
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const answer = await rawRequest(port, `GET ${path} HTTP/1.1\r\n${text}\r\n`, (all) => all.includes("\r\n"));
  return Number(answer.split(" ")[1]);
}

/** Opens a WebSocket by hand and stops reading right after the handshake: a reader that never keeps up. */
export function openStalledReader(port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    });
    socket.once("data", () => {
      socket.pause();
      resolve(socket);
    });
    socket.on("error", reject);
  });
}
