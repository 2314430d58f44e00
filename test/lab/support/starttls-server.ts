/**
 * Speaks just enough of a protocol to start TLS inside it, then says `welcome` and ends:
 * `bun starttls-server.ts PROTOCOL PORT KEY CERTIFICATE`. SMTP (RFC 3207), IMAP (RFC 9051), POP3 (RFC 2595), PostgreSQL's
 * SSLRequest.
 */
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";

export const STARTTLS_SERVER = import.meta.path;

interface Dialect {
  greeting: string;
  /** What to answer to a line (or all bytes there are, in latin1), and whether TLS starts behind it. */
  answer(line: string): { text: string; startsTls: boolean };
}

const DIALECTS: Record<string, Dialect> = {
  smtp: {
    greeting: "220 mail ESMTP\r\n",
    answer: (line) =>
      /^starttls/i.test(line)
        ? { text: "220 go ahead\r\n", startsTls: true }
        : { text: "250-mail\r\n250 STARTTLS\r\n", startsTls: false },
  },
  imap: {
    greeting: "* OK mail\r\n",
    answer(line) {
      const [tag, command = ""] = line.trim().split(" ");
      const startsTls = /^starttls$/i.test(command);
      return { text: `${startsTls ? "" : "* CAPABILITY IMAP4rev1 STARTTLS\r\n"}${tag} OK\r\n`, startsTls };
    },
  },
  pop3: {
    greeting: "+OK mail\r\n",
    answer: (line) => ({ text: "+OK\r\n", startsTls: /^stls/i.test(line) }),
  },
  postgres: { greeting: "", answer: () => ({ text: "S", startsTls: true }) },
};

function serve(socket: Socket, dialect: Dialect, credentials: { key: Buffer; cert: Buffer }): void {
  socket.on("error", () => socket.destroy());
  socket.write(dialect.greeting);
  const onData = (bytes: Buffer) => {
    const { text, startsTls } = dialect.answer(bytes.toString("latin1"));
    if (startsTls) {
      socket.off("data", onData);
      const secure = new TLSSocket(socket, { isServer: true, ...credentials });
      secure.on("error", () => socket.destroy());
      secure.on("secure", () => secure.end("welcome\r\n"));
    }
    socket.write(text);
  };
  socket.on("data", onData);
}

if (import.meta.main) {
  const [name = "", port, key = "", certificate = ""] = process.argv.slice(2);
  const dialect = DIALECTS[name];
  if (dialect === undefined) throw new Error(`no such protocol: ${name}`);
  const credentials = { key: readFileSync(key), cert: readFileSync(certificate) };
  createServer((socket) => serve(socket, dialect, credentials)).listen(Number(port), "::");
}
