import { expect, test } from "bun:test";
import { type Naming, NO_NAMING } from "../../../src/flow/naming.ts";
import type { FlowTable } from "../../../src/flow/table.ts";
import type { HistoryRow } from "../../../src/history/types.ts";
import { WindowRecorder } from "../../../src/history/windows.ts";
import { named, START_MS } from "./fixture.ts";

const WINDOW_MS = 10_000;
const SLOT = 2;
const META_TCP_IPV4 = 6;

/** A recorder over one connection, 10.0.0.1 to 192.0.2.1, whose counters and naming the test sets. */
function recorderOfOne() {
  const rows: HistoryRow[] = [];
  const state = { packets: 0, naming: NO_NAMING, wallMs: START_MS };
  const address = (...bytes: number[]) => Uint8Array.of(...Array.from({ length: 12 }, () => 0), ...bytes);
  const slots = {
    counters: (_slot: number, into: Record<string, number>) =>
      Object.assign(into, { packetsA: state.packets, bytesA: state.packets * 100, packetsB: 0, bytesB: 0 }),
    retransmits: () => 0,
    detail: () => ({
      addressA: address(10, 0, 0, 1),
      addressB: address(192, 0, 2, 1),
      portA: 40_000,
      portB: 443,
      client: 0,
      clientDirection: 1,
      flags: [0x1b, 0x12],
      rttServerNs: 0,
      rttClientNs: 0,
    }),
  };
  const table = {
    kernel: { slots },
    live: Uint32Array.of(SLOT, 0, 0, 0),
    size: 1,
    meta: () => META_TCP_IPV4,
  };
  const recorder = new WindowRecorder({
    table: table as unknown as FlowTable,
    windowMs: WINDOW_MS,
    append: (row) => void rows.push(row),
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
    recorder.swept();
  };
  return { rows, state, recorder, endWindow };
}

test("rows keep what was known of the connection when they were made", () => {
  const { rows, state, recorder, endWindow } = recorderOfOne();
  endWindow();
  endWindow();
  state.naming = named("example.org");
  endWindow();
  endWindow();
  state.naming = named("example.org", { tlsVersion: "TLS 1.3" });
  state.packets++;
  recorder.retired(SLOT);
  const namings = rows.map(({ connection }) => connection.naming);
  expect(namings.map(({ domain, tlsVersion }): Partial<Naming> => ({ domain, tlsVersion }))).toEqual([
    { domain: null, tlsVersion: null },
    { domain: null, tlsVersion: null },
    { domain: "example.org", tlsVersion: null },
    { domain: "example.org", tlsVersion: null },
    { domain: "example.org", tlsVersion: "TLS 1.3" },
  ]);
});

test("a naming that stays keeps the connection, another gives a new one that is not written yet", () => {
  const { rows, state, endWindow } = recorderOfOne();
  endWindow();
  const [first] = rows;
  if (first !== undefined) first.connection.rowId = 77;
  endWindow();
  state.naming = named("example.org");
  endWindow();
  endWindow();
  const [one, two, three, four] = rows.map(({ connection }) => connection);
  expect(two).toBe(one);
  expect(four).toBe(three);
  expect([two?.rowId, three?.rowId]).toEqual([77, 0]);
  expect(three).toEqual({ ...two, naming: state.naming, rowId: 0 } as typeof three);
  expect(three?.client).toBe(two?.client as Uint8Array);
});
