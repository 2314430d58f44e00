import { readLayer } from "../../src/inspect/layers.ts";
import { readSocks } from "../../src/inspect/socks.ts";
import { readProxyHeader } from "../../src/inspect/starttls-proxy.ts";
import { readStartTls } from "../../src/inspect/starttls.ts";
import { concat } from "../support/bytes.ts";
import { dnsQuery } from "../support/dns.ts";
import { clientHello, tlsRecords } from "../support/tls.ts";
import { must, mustBeShown, mustNotDependOnCuts } from "./invariants.ts";
import { mutated } from "./mutate.ts";
import { HTTP_REQUESTS, HTTP2_STREAMS, PLAIN_SESSIONS, PROXY_HEADERS, SOCKS_STREAMS } from "./seeds.ts";
import type { Target } from "./target.ts";

const HELLO = tlsRecords(clientHello({ serverName: "inner.example" }));
const QUERY = dnsQuery("www.example.com");
const SESSIONS = [
  ...PLAIN_SESSIONS.map((session) => concat(session, HELLO)),
  ...PROXY_HEADERS.map((header) => concat(header, HELLO)),
  concat(PROXY_HEADERS[0]!, PLAIN_SESSIONS[0]!, HELLO),
  concat(PLAIN_SESSIONS[6]!, PLAIN_SESSIONS[6]!, HELLO),
];
const ALL = [
  ...SESSIONS,
  ...SOCKS_STREAMS,
  ...HTTP_REQUESTS,
  ...HTTP2_STREAMS,
  HELLO,
  concat(Uint8Array.of(0, QUERY.length), QUERY),
  concat(Uint8Array.of(0x80, 46, 1, 0, 2, 0, 21, 0, 0, 0, 16), new Uint8Array(37)),
];

export const PROXY_TARGETS: readonly Target[] = [
  {
    name: "socks",
    make: (random) => [mutated(random, SOCKS_STREAMS)],
    check([stream = new Uint8Array()], random) {
      const reading = mustNotDependOnCuts(readSocks, stream, random.below(stream.length + 1));
      if (reading.state === "found") mustBeShown(reading.value.host);
    },
  },
  {
    name: "starttls",
    make: (random) => [mutated(random, SESSIONS)],
    check([stream = new Uint8Array()], random) {
      const cut = random.below(stream.length + 1);
      const reading = mustNotDependOnCuts(readStartTls, stream, cut);
      if (reading.state === "found") must(stream[reading.used] === 0x16, "TLS behind the session");
      mustNotDependOnCuts(readProxyHeader, stream, cut);
    },
  },
  {
    name: "layers",
    make: (random) => [mutated(random, ALL)],
    check([stream = new Uint8Array()], random) {
      const layer = readLayer(stream, random.oneIn(2));
      if (layer.kind === "proxy" || layer.kind === "prefix") {
        must(layer.used > 0 && layer.used <= stream.length, "a layer that takes bytes");
      }
      if (layer.kind === "tls") mustBeShown(layer.hello.serverName);
      if ("host" in layer) mustBeShown(layer.host);
    },
  },
];
