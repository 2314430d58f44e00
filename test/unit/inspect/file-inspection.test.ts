import { describe, expect, test } from "bun:test";
import { concat } from "../../support/bytes.ts";
import { FileInspection } from "../../../src/inspect/file-inspection.ts";
import type { Lookup } from "../../../src/inspect/types.ts";
import { addressRecord, dnsAnswer, dnsQuery } from "../../support/dns.ts";
import { arp, frame, fragments, TCP, type FrameSpec } from "../../support/frames.ts";
import { ascii } from "../../support/inspection.ts";
import { clientHello, serverHello, tlsRecords } from "../../support/tls.ts";

const CLIENT = "192.0.2.1";
const SERVER = "198.51.100.7";
const HELLO = tlsRecords(clientHello({ serverName: "www.example", alpn: ["h2"] }));

class Capture {
  readonly lookups: Lookup[] = [];
  readonly inspection = new FileInspection((lookup) => this.lookups.push(lookup));
  private timeMs = 1_700_000_000_000;

  frames(...frames: readonly Uint8Array[]): this {
    for (const bytes of frames) this.frame(bytes);
    return this;
  }

  frame(bytes: Uint8Array, { linkType = 1, name = "", length = bytes.length, afterMs = 1 } = {}): this {
    this.timeMs += afterMs;
    this.inspection.frame({ timeMs: this.timeMs, linkType, interface: name, bytes, length });
    return this;
  }

  finish() {
    this.inspection.finish();
    return this.inspection.connections;
  }
}

interface Segment {
  flags?: number;
  sequence?: number;
  payload?: Uint8Array;
  isReply?: boolean;
  port?: number;
}

function tcp({
  flags = TCP.ack,
  sequence = 0,
  payload = new Uint8Array(),
  isReply = false,
  port = 443,
}: Segment) {
  const [source, destination] = isReply ? [SERVER, CLIENT] : [CLIENT, SERVER];
  const [sourcePort, destinationPort] = isReply ? [port, 40_000] : [40_000, port];
  return frame({
    source,
    destination,
    transport: { kind: "tcp", flags, sequence, payload, sourcePort, destinationPort },
  });
}

const udp = (payload: Uint8Array, isReply = false): FrameSpec => ({
  ...(isReply ? { source: SERVER, destination: CLIENT } : { source: CLIENT, destination: SERVER }),
  transport: {
    kind: "udp",
    payload,
    ...(isReply ? { sourcePort: 53, destinationPort: 5000 } : { sourcePort: 5000, destinationPort: 53 }),
  },
});

function opened(first = 100, name = "www.example") {
  const hello = tlsRecords(clientHello({ serverName: name }));
  return [
    tcp({ flags: TCP.syn, sequence: first }),
    tcp({ flags: TCP.syn | TCP.ack, sequence: 900, isReply: true }),
    tcp({ sequence: first + 1, payload: hello }),
  ];
}

describe("a connection", () => {
  test("counts packets and bytes on the wire both ways, and has its name", () => {
    const frames = [
      ...opened(),
      tcp({ sequence: 901, payload: tlsRecords(serverHello({ version: 0x0304 })), isReply: true }),
    ];
    const capture = new Capture().frames(...frames).frame(tcp({ flags: TCP.ack }), { length: 1514 });
    expect(capture.finish()).toMatchObject([
      {
        client: 0,
        protocol: 6,
        packets: 5,
        bytes: concat(...frames).length + 1514,
        naming: { domain: "www.example", domainSource: "sni", tlsVersion: "TLS 1.3" },
      },
    ]);
  });

  test("has the client that sent the SYN, whichever packet is first", () => {
    const [syn, synAck, hello] = opened() as [Uint8Array, Uint8Array, Uint8Array];
    for (const order of [
      [synAck, hello],
      [hello, syn, synAck],
      [synAck, syn, hello],
    ]) {
      const [connection] = new Capture().frames(...order).finish();
      expect(connection?.ends[connection.client].port).toBe(40_000);
      expect(connection?.naming.domain).toBe("www.example");
    }
  });

  test("begins anew with a SYN of another sequence number", () => {
    const capture = new Capture().frames(...opened(100, "first.example"), ...opened(100, "first.example"));
    capture.frames(tcp({ flags: TCP.rst }), ...opened(5_000_000, "second.example"));
    expect(capture.finish().map(({ naming, packets }) => [naming.domain, packets])).toEqual([
      ["first.example", 7],
      ["second.example", 3],
    ]);
  });

  test("of another interface is another", () => {
    const capture = new Capture();
    for (const name of ["eth0", "eth1"]) for (const bytes of opened()) capture.frame(bytes, { name });
    expect(capture.finish().map((one) => [one.interface, one.packets])).toEqual([
      ["eth0", 3],
      ["eth1", 3],
    ]);
  });

  test("whose name only DNS told has it, from the capture's own time on", () => {
    const answer = dnsAnswer("asked.example", [addressRecord("asked.example", SERVER, 120)]);
    const capture = new Capture().frames(frame(udp(dnsQuery("asked.example"))), frame(udp(answer, true)));
    capture.frame(tcp({ flags: TCP.syn, port: 22 }));
    capture.frame(tcp({ flags: TCP.syn, port: 23 }), { afterMs: 3 * 24 * 3_600_000 });
    expect(capture.finish().map(({ naming }) => [naming.domain, naming.domainSource])).toEqual([
      [null, null],
      ["asked.example", "dns"],
      [null, null],
    ]);
    expect(capture.lookups).toMatchObject([{ name: "asked.example", latencyMs: 1 }]);
  });

  test("is read from fragments and behind VLAN tags", () => {
    const { transport, source, destination } = udp(
      dnsAnswer("a.example", [addressRecord("a.example", SERVER)]),
      true,
    );
    const pieces = fragments({ source, destination, transport, vlans: [{ id: 1 }, { id: 2 }] }, 16);
    const capture = new Capture().frames(...pieces);
    capture.finish();
    expect(capture.lookups).toMatchObject([{ name: "a.example", answers: [SERVER] }]);
  });

  test("is looked at for its budget only", () => {
    const capture = new Capture().frames(tcp({ flags: TCP.syn, sequence: 0 }));
    for (let at = 0; at < 30; at++)
      capture.frames(tcp({ sequence: 1 + at, payload: HELLO.subarray(at, at + 1) }));
    capture.frames(tcp({ sequence: 31, payload: HELLO.subarray(30) }));
    expect(capture.finish()).toMatchObject([{ packets: 32, naming: { domain: null } }]);
  });
});

test("what is no connection is counted by why", () => {
  const capture = new Capture().frames(arp("192.0.2.1", "192.0.2.2"), ascii("short"));
  capture.frame(ascii("whatever"), { linkType: 105 }).frame(ascii("whatever"), { linkType: 105 });
  expect(capture.finish()).toEqual([]);
  const { notIp, malformed, unknownLinkTypes } = capture.inspection;
  expect([notIp, malformed, [...unknownLinkTypes]]).toEqual([1, 1, [[105, 2]]]);
});
