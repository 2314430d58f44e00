import { expect, test } from "bun:test";
import type { KernelEvent } from "../../../src/bpf/ring.ts";
import { type Naming, NO_NAMING } from "../../../src/flow/naming.ts";
import type { FlowTable } from "../../../src/flow/table.ts";
import { Identities } from "../../../src/history/identities.ts";
import type { Identity, RowValues } from "../../../src/history/types.ts";
import { WindowRecorder } from "../../../src/history/windows.ts";
import { named, START_MS } from "./fixture.ts";

const WINDOW_MS = 10_000;
const SLOT = 2;
const GENERATION = 5;
const META_TCP_IPV4 = 6;

interface Taken extends RowValues {
  identity: number;
  of: Identity;
}

/** A recorder over one connection, 10.0.0.1 to 192.0.2.1, whose counters and naming the test sets. */
function recorderOfOne(windowMs = WINDOW_MS) {
  const taken: Taken[] = [];
  const state = { packets: 0, naming: NO_NAMING, wallMs: START_MS, client: 0, accepts: true, refused: 0 };
  const identities = new Identities();
  const address = (...bytes: number[]) => Uint8Array.of(...Array.from({ length: 12 }, () => 0), ...bytes);
  const addresses = [address(10, 0, 0, 1), address(192, 0, 2, 1)];
  const ports = [40_000, 443];
  const slots = {
    counters: (_slot: number, into: Record<string, number>) =>
      Object.assign(into, { packetsA: state.packets, bytesA: state.packets * 100, packetsB: 0, bytesB: 0 }),
    retransmits: () => 0,
    client: () => state.client,
    address: (_slot: number, side: number) => addresses[side],
    port: (_slot: number, side: number) => ports[side],
    clientDirection: () => 1,
    flags: () => 0x1b,
    handshake: () => ({ rttServerNs: 0, rttClientNs: 0 }),
  };
  const table = {
    kernel: { slots },
    live: Uint32Array.of(SLOT, 0, 0, 0),
    size: 1,
    meta: () => META_TCP_IPV4,
    holds: (slot: number, gen: number) => slot === SLOT && gen === GENERATION,
    open: () => false,
    points: { primary: (slot: number) => slot, isPrimary: () => true, count: () => 1, next: () => -1 },
    sums: { ...slots, owner: (slot: number) => slot },
  };
  const rows = {
    identities,
    get accepts() {
      return state.accepts;
    },
    refuse: () => void state.refused++,
    appendOf(identity: number, row: RowValues) {
      const { client, server, ...rest } = identities.describe(identity);
      taken.push({ ...row, identity, of: { ...rest, client: client.slice(), server: server.slice() } });
    },
  };
  const recorder = new WindowRecorder({
    table: table as unknown as FlowTable,
    windowMs,
    rows,
    severalPoints: () => false,
    interfaceName: () => "eth0",
    naming: () => state.naming,
    fromBootNs: (ns) => ns,
    wallMs: () => state.wallMs,
    now: () => 0,
    soon: (work) => work(),
  });
  /** Ends a window in which the connection had a packet. */
  const endWindow = () => {
    state.packets++;
    state.wallMs += WINDOW_MS;
    recorder.swept(() => {});
  };
  return { taken, state, identities, recorder, endWindow };
}

/** A packet of raw mode. */
function packet(changes: Partial<KernelEvent> = {}): KernelEvent {
  return {
    type: 0,
    direction: 1,
    side: 0,
    tcpFlags: 0x18,
    slot: SLOT,
    gen: GENERATION,
    bytes: 100,
    packets: 1,
    bootNs: START_MS,
    ...changes,
  };
}

test("rows keep what was known of the connection when they were made", () => {
  const { taken, state, recorder, endWindow } = recorderOfOne();
  endWindow();
  endWindow();
  state.naming = named("example.org");
  endWindow();
  endWindow();
  state.naming = named("example.org", { tlsVersion: "TLS 1.3" });
  state.packets++;
  recorder.retired(SLOT);
  const namings = taken.map(({ of }) => of.naming);
  expect(namings.map(({ domain, tlsVersion }): Partial<Naming> => ({ domain, tlsVersion }))).toEqual([
    { domain: null, tlsVersion: null },
    { domain: null, tlsVersion: null },
    { domain: "example.org", tlsVersion: null },
    { domain: "example.org", tlsVersion: null },
    { domain: "example.org", tlsVersion: "TLS 1.3" },
  ]);
});

test("the rows of a connection are about one identity for as long as its naming and its client stay", () => {
  const { taken, state, identities, endWindow } = recorderOfOne();
  endWindow();
  const first = taken[0]?.identity ?? 0;
  identities.setConversation(first, 77);
  // Queued rows hold the first identity, as they would in the writer.
  identities.hold(first);
  endWindow();
  state.naming = named("example.org");
  endWindow();
  endWindow();
  state.client = 1;
  endWindow();
  const [one, two, three, four, five] = taken;
  expect([two?.identity, four?.identity]).toEqual([one?.identity, three?.identity]);
  expect(new Set([one, three, five].map((row) => row?.identity)).size).toBeGreaterThan(1);
  expect(three?.of).toEqual({ ...one?.of, naming: state.naming } as Identity);
  expect([...(five?.of.client ?? [])]).toEqual([192, 0, 2, 1]);
  expect([five?.of.clientPort, five?.of.serverPort]).toEqual([443, 40_000]);
  expect([five?.bytesSent, five?.bytesReceived]).toEqual([0, 100]);
  expect([identities.conversation[first], identities.conversation[five?.identity ?? 0]]).toEqual([77, 0]);
});

test("a connection that is over gives its identity back", () => {
  const { taken, identities, recorder, endWindow } = recorderOfOne();
  endWindow();
  expect(identities.size).toBe(1);
  recorder.retired(SLOT);
  expect([taken.length, identities.size]).toEqual([1, 0]);
});

test("a packet is a row, sent or received by the client", () => {
  const { taken, recorder } = recorderOfOne(0);
  recorder.packet(packet());
  recorder.packet(packet({ side: 1, direction: 0, bytes: 1514, packets: 2, bootNs: START_MS + 0.25 }));
  expect(taken).toMatchObject([
    { kind: "packet", direction: "egress", timestampMs: START_MS, packetsSent: 1, bytesSent: 100 },
    { kind: "packet", direction: "ingress", timestampMs: START_MS + 0.25, packetsSent: 0, bytesSent: 0 },
  ]);
  expect(taken).toMatchObject([
    { packetsReceived: 0, bytesReceived: 0, tcpFlags: 0x18, rttNs: null },
    { packetsReceived: 2, bytesReceived: 1514, tcpFlags: 0x18, rttNs: null },
  ]);
});

test("a packet of a connection that has gone is counted as stale", () => {
  const { taken, recorder } = recorderOfOne(0);
  recorder.packet(packet({ gen: GENERATION - 1, packets: 3 }));
  expect([taken.length, recorder.stalePackets]).toEqual([0, 3]);
});

test("what is not accepted is refused without an identity, and a window's traffic is not told twice", () => {
  const raw = recorderOfOne(0);
  raw.state.accepts = false;
  raw.recorder.packet(packet());
  expect([raw.state.refused, raw.taken.length, raw.identities.size]).toEqual([1, 0, 0]);

  const windows = recorderOfOne();
  windows.state.accepts = false;
  windows.endWindow();
  windows.state.accepts = true;
  windows.endWindow();
  expect(windows.state.refused).toBe(1);
  expect(windows.taken.map(({ packetsSent }) => packetsSent)).toEqual([1]);
});

test("longer windows begin where the last one ended and lose nothing; short ones come back at once", () => {
  const { taken, recorder, endWindow } = recorderOfOne();
  const start = (index: number) => START_MS + index * WINDOW_MS;
  endWindow();
  recorder.stretch(6);
  for (let index = 0; index < 13; index++) endWindow();
  recorder.stretch(1);
  endWindow();
  endWindow();
  expect(taken.map(({ timestampMs, packetsSent }) => [timestampMs, packetsSent])).toEqual([
    [start(0), 1],
    [start(1), 6],
    [start(7), 6],
    [start(13), 2],
    [start(15), 1],
  ]);
});

test("a clock that was set back ends a long window", () => {
  const { taken, state, recorder, endWindow } = recorderOfOne();
  recorder.stretch(6);
  state.wallMs -= 3 * WINDOW_MS;
  endWindow();
  expect(taken.map(({ timestampMs }) => timestampMs)).toEqual([START_MS]);
});

test("after a sweep it says when it is done: at a window's end when the rows are made, else at once", () => {
  const { taken, state, recorder } = recorderOfOne();
  const rowsWhenDone: number[] = [];
  const sweep = () => recorder.swept(() => rowsWhenDone.push(taken.length));
  state.packets++;
  sweep();
  state.wallMs += WINDOW_MS;
  sweep();
  sweep();
  expect(rowsWhenDone).toEqual([0, 1, 1]);
});
