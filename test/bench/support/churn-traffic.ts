/** Connections that stay and, between their packets, connections that come and go, each of them new. */
import { frame, pattern, TCP, type Transport } from "../../support/frames.ts";
import { SMALL_FRAME, type TrafficFile } from "./generator.ts";

/** Opened and closed a second, live all the time, and packets of both a second: each live one has one in 10 s. */
export const CHURN = { opened: 5000, live: 50_000, packets: 35_000 } as const;

const FRAMES_OF_STEP = CHURN.packets / CHURN.opened;
/** A connection is closed so many steps after it was opened: a second. */
const LIFETIME_STEPS = CHURN.opened;
const RECORD_BYTES = 16;
const HEAD_BYTES = 24;
const MAGIC = 0xa1b2c3d4;
const ETHERNET = 1;
const SNAP_BYTES = 262_144;
const UDP_HEADERS = 42;
/** Where the addresses and ports lie in a frame. */
const OFFSET = { source: 26, destination: 30, sourcePort: 34, destinationPort: 36 } as const;
const NETWORK = 10 << 24;
const COMING_NETWORK = 11 << 24;
const [FIRST_PORT, PORTS] = [1024, 64_000];
const [CLIENT, SERVER] = ["10.0.0.0", "192.0.2.1"];
const [CLIENT_PORT, SERVER_PORT] = [FIRST_PORT, 443];
/** Sequence numbers of both sides start here. */
const START = 1000;

type Tcp = Omit<Extract<Transport, { kind: "tcp" }>, "kind" | "sourcePort" | "destinationPort">;

function segment(isReply: boolean, tcp: Tcp): Uint8Array {
  const [source, destination] = isReply ? [SERVER, CLIENT] : [CLIENT, SERVER];
  const [sourcePort, destinationPort] = isReply ? [SERVER_PORT, CLIENT_PORT] : [CLIENT_PORT, SERVER_PORT];
  return frame({ source, destination, transport: { kind: "tcp", sourcePort, destinationPort, ...tcp } });
}

/** A frame that stands for that of any connection; its checksums are never made anew, as nothing looks at them. */
interface Template {
  bytes: Uint8Array;
  isReply: boolean;
}

const { syn, ack, fin } = TCP;
const OPENING: readonly Template[] = [
  { isReply: false, bytes: segment(false, { sequence: START, flags: syn }) },
  { isReply: true, bytes: segment(true, { sequence: START, acknowledgment: START + 1, flags: syn | ack }) },
  { isReply: false, bytes: segment(false, { sequence: START + 1, acknowledgment: START + 1 }) },
];
const CLOSING: readonly Template[] = [
  {
    isReply: false,
    bytes: segment(false, { sequence: START + 1, acknowledgment: START + 1, flags: fin | ack }),
  },
  {
    isReply: true,
    bytes: segment(true, { sequence: START + 1, acknowledgment: START + 2, flags: fin | ack }),
  },
  { isReply: false, bytes: segment(false, { sequence: START + 2, acknowledgment: START + 2 }) },
];
const STAYING: Template = {
  isReply: false,
  bytes: frame({
    source: CLIENT,
    destination: SERVER,
    transport: {
      kind: "udp",
      sourcePort: CLIENT_PORT,
      destinationPort: SERVER_PORT,
      payload: pattern(SMALL_FRAME - UDP_HEADERS),
    },
  }),
};

/** A capture file in the making, filled in place: a million frames as arrays of their own would be slow. */
class CaptureBuffer {
  private readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly view: DataView;
  private length = HEAD_BYTES;
  private frames = 0;

  constructor(maxFrames: number) {
    this.bytes = new Uint8Array(HEAD_BYTES + maxFrames * (RECORD_BYTES + SMALL_FRAME));
    this.view = new DataView(this.bytes.buffer);
    this.view.setUint32(0, MAGIC, true);
    this.view.setUint16(4, 2, true);
    this.view.setUint16(6, 4, true);
    this.view.setUint32(16, SNAP_BYTES, true);
    this.view.setUint32(20, ETHERNET, true);
  }

  /** The template's frame, of connection `number` of a network. */
  add({ bytes, isReply }: Template, network: number, number: number): void {
    this.view.setUint32(this.length + 8, bytes.length, true);
    this.view.setUint32(this.length + 12, bytes.length, true);
    const at = this.length + RECORD_BYTES;
    this.bytes.set(bytes, at);
    this.view.setUint32(at + (isReply ? OFFSET.destination : OFFSET.source), network + number);
    const port = FIRST_PORT + (number % PORTS);
    this.view.setUint16(at + (isReply ? OFFSET.destinationPort : OFFSET.sourcePort), port);
    this.length = at + bytes.length;
    this.frames++;
  }

  async write(path: string): Promise<TrafficFile> {
    await Bun.write(path, this.bytes.subarray(0, this.length));
    return { path, frames: this.frames };
  }
}

/** Writes one frame of each connection that stays. */
export async function writeStaying(path: string): Promise<TrafficFile> {
  const capture = new CaptureBuffer(CHURN.live);
  for (let number = 0; number < CHURN.live; number++) capture.add(STAYING, NETWORK, number);
  return await capture.write(path);
}

/**
 * Writes `seconds` of churn, to be sent once at CHURN.packets a second. Connections go on from number `from`: those of
 * the second before that are closed, and those of the last second stay open.
 */
export async function writeChurn(path: string, from: number, seconds: number): Promise<TrafficFile> {
  const steps = seconds * CHURN.opened;
  const capture = new CaptureBuffer(steps * FRAMES_OF_STEP);
  for (let number = from; number < from + steps; number++) {
    for (const template of OPENING) capture.add(template, COMING_NETWORK, number);
    const ended = number - LIFETIME_STEPS;
    for (const template of ended < 0 ? [] : CLOSING) capture.add(template, COMING_NETWORK, ended);
    capture.add(STAYING, NETWORK, number % CHURN.live);
  }
  return await capture.write(path);
}
