import { type ClientHello, readClientHello } from "./client-hello.ts";
import { nextMessage } from "./dns-stream.ts";
import { readHttpRequest } from "./http.ts";
import { readHttp2 } from "./http2.ts";
import type { Reading } from "./reading.ts";
import { readSocks } from "./socks.ts";
import { readProxyHeader } from "./starttls-proxy.ts";
import { readStartTls } from "./starttls.ts";
import { isSslv2Hello } from "./tls-sslv2.ts";
import type { Inspected } from "./types.ts";

/** What one side of a TCP connection starts with, as far as it can be told. */
export type Layer =
  | { kind: "tls"; hello: ClientHello }
  /** A hello that has no place for a name. */
  | { kind: "sslv2" }
  | { kind: "http"; host: string | null }
  | { kind: "http2"; host: string | null; carriesDns: boolean }
  /** Asks a proxy for `host`; behind `used` bytes another layer begins. */
  | { kind: "proxy"; protocol: "http" | "socks"; host: string | null; used: number }
  /** Plain text or a header of some protocol; TLS begins behind `used` bytes. */
  | { kind: "prefix"; used: number }
  | { kind: "dns" }
  /** Further bytes decide; `protocol` is what it looks like so far. */
  | { kind: "more"; protocol: Inspected }
  | { kind: "bad"; protocol: Inspected }
  | { kind: "no" };

interface Parser {
  protocol: Inspected;
  read: (stream: Uint8Array) => Reading<Layer>;
}

function mapped<T>(reading: Reading<T>, layer: (value: T, used: number) => Layer): Reading<Layer> {
  return reading.state === "found" ? { ...reading, value: layer(reading.value, reading.used) } : reading;
}

const tls: Parser = {
  protocol: "tls",
  read: (stream) => mapped(readClientHello(stream), (hello) => ({ kind: "tls", hello })),
};
const dns: Parser = {
  protocol: "dns",
  read: (stream) => mapped(nextMessage(stream), () => ({ kind: "dns" })),
};
const http2: Parser = {
  protocol: "http",
  read: (stream) =>
    mapped(readHttp2(stream), ({ authority, carriesDns }) => ({
      kind: "http2",
      host: authority,
      carriesDns,
    })),
};
const http: Parser = {
  protocol: "http",
  read: (stream) =>
    mapped(readHttpRequest(stream), ({ host, isConnect, isUpgradeH2c }, used) =>
      isConnect || isUpgradeH2c ? { kind: "proxy", protocol: "http", host, used } : { kind: "http", host },
    ),
};
const socks: Parser = {
  protocol: "socks",
  read: (stream) =>
    mapped(readSocks(stream), ({ host }, used) => ({ kind: "proxy", protocol: "socks", host, used })),
};
const startTls: Parser = {
  protocol: "other",
  read: (stream) => mapped(readStartTls(stream), (_, used) => ({ kind: "prefix", used })),
};

const proxyHeader: Parser = {
  protocol: "other",
  read: (stream) => mapped(readProxyHeader(stream), (_, used) => ({ kind: "prefix", used })),
};

const ANYWHERE: readonly Parser[] = [tls, http2, http, socks, proxyHeader, startTls];
const ON_DNS_PORT: readonly Parser[] = [dns, ...ANYWHERE];

/** Tells what the contiguous bytes of one side begin with. DNS has no mark of its own: it is looked for on its port only. */
export function readLayer(stream: Uint8Array, isDnsPort: boolean): Layer {
  if (isSslv2Hello(stream)) return { kind: "sslv2" };
  let undecided: Layer = { kind: "no" };
  for (const { protocol, read } of isDnsPort ? ON_DNS_PORT : ANYWHERE) {
    const reading = read(stream);
    if (reading.state === "found") return reading.value;
    if (reading.state === "bad") return { kind: "bad", protocol };
    if (reading.state === "more" && undecided.kind === "no") undecided = { kind: "more", protocol };
  }
  return undecided;
}
