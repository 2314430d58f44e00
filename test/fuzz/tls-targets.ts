import {
  parseClientHello,
  readClientHello,
  salvageClientHello,
  type ClientHello,
} from "../../src/inspect/client-hello.ts";
import { helloNaming } from "../../src/inspect/hello-naming.ts";
import { ja4 } from "../../src/inspect/ja4.ts";
import { parseServerHello, readServerHello, type ServerHello } from "../../src/inspect/server-hello.ts";
import { tlsVersionName } from "../../src/inspect/tls-version.ts";
import { concat, pattern } from "../support/bytes.ts";
import { clientHello, serverHello, tlsRecord, tlsRecords } from "../support/tls.ts";
import { must, mustBeShown, mustNotDependOnCuts } from "./invariants.ts";
import { mutated } from "./mutate.ts";
import type { Target } from "./target.ts";

const RECORD_AND_MESSAGE_HEADER = 9;
const JA4 = /^[tq](?:1[0-3]|s[23]|d[123]|00)[di]\d{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/;
const MAX_PROTOCOLS = 16;
const MAX_VERSION_NAME = 8;
const WARNING = tlsRecord(Uint8Array.of(1, 112), 21);

const CLIENT_HELLOS = [
  clientHello({
    serverName: "Www.Example.com",
    alpn: ["h2", "http/1.1"],
    signatureAlgorithms: [0x0403, 0x0804],
  }),
  clientHello({ serverName: "example.com.", greaseFirst: true, ech: "outer", sessionId: pattern(32) }),
  clientHello({ serverName: new TextEncoder().encode("b\u00fccher.example\u202e"), alpn: [pattern(9)] }),
  clientHello({ serverName: "a.example", extensions: [{ type: 21, data: new Uint8Array(1400) }] }),
  clientHello({ serverName: "long.example", extensions: [{ type: 41, data: pattern(17_000) }] }),
  clientHello({ versions: [], legacyVersion: 0x0300, withoutExtensions: true }),
  clientHello({ alpn: [], versions: [0x7f1c, 0xfb17], extensions: [{ type: 0xffce, data: pattern(40) }] }),
];
const CLIENT_STREAMS = [
  ...CLIENT_HELLOS.map((hello) => tlsRecords(hello)),
  tlsRecords(clientHello({ serverName: "cut.example" }), 7),
  tlsRecords(clientHello({ serverName: "empty.example" }), [0, 0, 20, 0]),
  concat(tlsRecords(clientHello({ serverName: "early.example" })), tlsRecord(pattern(80), 23)),
];
const SERVER_STREAMS = [
  serverHello({ version: 0x0304 }),
  serverHello({ legacyVersion: 0x0303, alpn: "h2" }),
  serverHello({ version: 0x0304, isRetryRequest: true, extensions: [{ type: 51, data: pattern(36) }] }),
].flatMap((hello) => [tlsRecords(hello), tlsRecords(hello, 30), concat(WARNING, tlsRecords(hello))]);

function mustBeHello(hello: ClientHello | null): void {
  if (hello === null) return;
  mustBeShown(hello.serverName);
  for (const protocol of hello.alpn) mustBeShown(protocol);
  for (const transport of ["tcp", "quic"] as const) {
    const fingerprint = ja4(hello, transport);
    must(JA4.test(fingerprint), `a fingerprint, not ${JSON.stringify(fingerprint)}`);
  }
  const naming = helloNaming(hello, "sni");
  must((naming.alpn?.length ?? 0) <= MAX_PROTOCOLS, "few protocols");
  mustBeShown(naming.tlsVersion ?? null, MAX_VERSION_NAME);
}

function mustBeAnswer(hello: ServerHello | null): void {
  if (hello === null) return;
  mustBeShown(hello.alpn);
  mustBeShown(tlsVersionName(hello.version), MAX_VERSION_NAME);
}

export const TLS_TARGETS: readonly Target[] = [
  {
    name: "client-hello",
    make: (random) => [mutated(random, CLIENT_STREAMS)],
    check([stream = new Uint8Array()], random) {
      const reading = mustNotDependOnCuts(readClientHello, stream, random.below(stream.length + 1));
      if (reading.state === "found") mustBeHello(reading.value);
      mustBeHello(salvageClientHello(stream));
      mustBeHello(parseClientHello(stream.subarray(RECORD_AND_MESSAGE_HEADER), { cut: random.oneIn(2) }));
    },
  },
  {
    name: "server-hello",
    make: (random) => [mutated(random, SERVER_STREAMS)],
    check([stream = new Uint8Array()], random) {
      const reading = mustNotDependOnCuts(readServerHello, stream, random.below(stream.length + 1));
      if (reading.state === "found") mustBeAnswer(reading.value);
      mustBeAnswer(parseServerHello(stream.subarray(RECORD_AND_MESSAGE_HEADER)));
    },
  },
];
