/** The agent itself on a veth pair: what the kernel says its program took for packets of named TLS connections. */
import { readFileSync } from "node:fs";
import { Kernel } from "../../../src/bpf/kernel.ts";
import { ANY_FRAME, runProgram } from "../../../src/bpf/test-run.ts";
import { type RunningAgent, startAgent } from "../../lab/support/agent.ts";
import { bpfObjectsOf } from "../../lab/support/bpf.ts";
import { createLab, type Lab } from "../../lab/support/lab.ts";
import { exec } from "../../lab/support/process.ts";
import { replay } from "../../lab/support/traffic.ts";
import { waitFor } from "../../lab/support/wait.ts";
import { ROOT } from "../../support/command.ts";
import { frame, pattern, TCP, type Transport } from "../../support/frames.ts";
import { writePcap } from "../../support/pcap.ts";
import { HOST, SERVER_STREAM } from "./hellos.ts";
import { lowerQuartile } from "./measure.ts";
import { SMALL_STREAM } from "./parser-cases.ts";

export interface LabCost {
  /** Nanoseconds of a packet, less those that keeping the statistics takes, of each agent. */
  offNs: number[];
  namedNs: number[];
  /** Of each agent. */
  packets: number;
}

const CONNECTIONS = 100;
/** Of each connection and round: short, as a round that something disturbs is of no use. */
const SEGMENTS = 100;
const PAYLOAD_BYTES = 100;
const FIRST_PORT = 20_000;
const SERVER_PORT = 443;
const [CLIENT, SERVER] = ["10.77.1.1", "10.77.1.2"];
const STATISTICS = "kernel.bpf_stats_enabled";
const PROGRAM = "ayaflow_ingress";
const EMPTY_RUNS = 50_000;
const EMPTY_ROUNDS = 41;

interface Statistics {
  runs: number;
  ns: number;
}

/** What the kernel has counted for a program. */
async function statistics(id: number): Promise<Statistics & { name: string }> {
  const { stdout } = await exec(["bpftool", "-j", "prog", "show", "id", String(id)]);
  const found: { name: string; run_cnt?: number; run_time_ns?: number } = JSON.parse(stdout);
  return { name: found.name, runs: found.run_cnt ?? 0, ns: found.run_time_ns ?? 0 };
}

/** The kernel's number of the program that an agent counts received packets with. */
async function programOf({ program: { pid } }: RunningAgent): Promise<number> {
  for (const id of bpfObjectsOf(pid).prog) if ((await statistics(id)).name === PROGRAM) return id;
  throw new Error(`process ${pid} has no program ${PROGRAM}`);
}

/** What the kernel counted for a program while `work` was done. */
async function counted(id: number, work: () => unknown): Promise<Statistics> {
  const before = await statistics(id);
  await work();
  const after = await statistics(id);
  return { runs: after.runs - before.runs, ns: after.ns - before.ns };
}

function segment(
  index: number,
  isReply: boolean,
  rest: Partial<Extract<Transport, { kind: "tcp" }>>,
): Uint8Array {
  const [source, destination] = isReply ? [SERVER, CLIENT] : [CLIENT, SERVER];
  const port = FIRST_PORT + index;
  const [sourcePort, destinationPort] = isReply ? [SERVER_PORT, port] : [port, SERVER_PORT];
  // The Ethernet address is nobody's: the stack behind us lets the packet go without an answer.
  return frame({ source, destination, transport: { kind: "tcp", sourcePort, destinationPort, ...rest } });
}

/** A connection's start up to the server's hello. Sequence numbers of both sides start with 0. */
function start(index: number): Uint8Array[] {
  const [client, server] = [SMALL_STREAM.length + 1, SERVER_STREAM.length + 1];
  return [
    segment(index, false, { sequence: 0, flags: TCP.syn }),
    segment(index, true, { sequence: 0, acknowledgment: 1, flags: TCP.syn | TCP.ack }),
    segment(index, false, { sequence: 1, acknowledgment: 1 }),
    segment(index, false, { sequence: 1, acknowledgment: 1, payload: SMALL_STREAM }),
    segment(index, true, { sequence: 1, acknowledgment: client, payload: SERVER_STREAM }),
    segment(index, false, { sequence: client, acknowledgment: server }),
  ];
}

/** What the server sends in a round, in order, its connections in turn. */
function download(round: number): Uint8Array[] {
  const first = SERVER_STREAM.length + 1 + round * SEGMENTS * PAYLOAD_BYTES;
  const payload = pattern(PAYLOAD_BYTES);
  const acknowledgment = SMALL_STREAM.length + 1;
  return Array.from({ length: SEGMENTS * CONNECTIONS }, (_, count) => {
    const sequence = first + Math.floor(count / CONNECTIONS) * PAYLOAD_BYTES;
    return segment(count % CONNECTIONS, true, { sequence, acknowledgment, payload });
  });
}

/** Starts an agent and opens the connections before it, which are named when it is inspecting. */
async function begin(lab: Lab, isInspecting: boolean): Promise<RunningAgent> {
  // The sources, not the executable: that one may be older.
  const command = [process.execPath, `${ROOT}/src/main.ts`];
  const agent = await startAgent(lab.server, lab.folder, {
    command,
    args: isInspecting ? ["--deep-inspect"] : [],
  });
  const file = lab.path("start.pcap");
  await writePcap(file, Array.from({ length: CONNECTIONS }, (_, index) => start(index)).flat());
  await replay(lab.client, file);
  await waitFor(async () => {
    const answer = await agent.get<{ connections: { domain?: string | null }[] }>("/api/live?limit=1000");
    const named = answer.connections.filter(({ domain }) => domain === HOST).length;
    return answer.connections.length === CONNECTIONS && named === (isInspecting ? CONNECTIONS : 0);
  }, "the connections were not there, or not named as they should be");
  return agent;
}

/** Nanoseconds that the statistics have of an empty program: they read the clock twice a run. */
async function statisticsNs(): Promise<number> {
  const options = { maxConnections: 1, ringBytes: 1, rawMode: false, inspect: false };
  const none = () => undefined;
  const kernel = Kernel.open(options, { event: none, payload: none, failed: none });
  try {
    const program = kernel.programs.ayaflow_fill;
    const id = Number(/^prog_id:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${program}`, "utf8"))?.[1]);
    const measured: number[] = [];
    for (let round = 0; round < EMPTY_ROUNDS; round++) {
      const { ns, runs } = await counted(id, () => runProgram(program, ANY_FRAME, undefined, EMPTY_RUNS));
      measured.push(ns / runs);
    }
    return lowerQuartile(measured);
  } finally {
    kernel.close();
  }
}

async function withStatistics<T>(work: () => Promise<T>): Promise<T> {
  const { stdout } = await exec(["sysctl", "-n", STATISTICS]);
  await exec(["sysctl", "-q", `${STATISTICS}=1`]);
  try {
    return await work();
  } finally {
    await exec(["sysctl", "-q", `${STATISTICS}=${stdout.trim()}`]);
  }
}

/** With deep inspection or without, in the order they start: those that start first are somewhat faster. */
const AGENTS = [false, true, true, false];

/**
 * Agents, half of them with deep inspection, each at a veth pair of its own, get the same segments of the same
 * connections in turn. Lower quartiles of `rounds` rounds, as the kernel's statistics have interrupts in them.
 */
export async function labCost(rounds: number): Promise<LabCost> {
  await using stack = new AsyncDisposableStack();
  const stages: { lab: Lab; isInspecting: boolean; program: number; ns: number[] }[] = [];
  for (const isInspecting of AGENTS) {
    const lab = stack.use(await createLab());
    const agent = stack.use(await begin(lab, isInspecting));
    stages.push({ lab, isInspecting, program: await programOf(agent), ns: [] });
  }
  const packets = CONNECTIONS * SEGMENTS;
  return await withStatistics(async () => {
    const ownNs = await statisticsNs();
    for (let round = 0; round < rounds; round++) {
      const frames = download(round);
      for (const { lab, program, ns } of round % 2 === 0 ? stages : stages.toReversed()) {
        const file = lab.path("download.pcap");
        await writePcap(file, frames);
        const taken = await counted(program, () => replay(lab.client, file));
        if (taken.runs !== packets) throw new Error(`${taken.runs} packets of ${packets} passed the program`);
        ns.push(taken.ns / taken.runs - ownNs);
      }
    }
    const quartiles = (isInspecting: boolean) =>
      stages.filter((stage) => stage.isInspecting === isInspecting).map(({ ns }) => lowerQuartile(ns));
    return { offNs: quartiles(false), namedNs: quartiles(true), packets: packets * rounds };
  });
}
