/** tcpreplay as load: made connections, sent round after round for a while, and what of it really went out. */
import { VETH, type End } from "../../lab/support/lab.ts";
import { frame, pattern } from "../../support/frames.ts";
import { writePcap } from "../../support/pcap.ts";

/** Frames without FCS. */
export const SMALL_FRAME = 64;
export const FULL_FRAME = 1514;
/** A shorter file would make the loops themselves cost something. */
const MIN_FRAMES = 10_000;
const HEADER_BYTES = 42;
const FIRST_PORT = 10_000;
const PORTS = 50_000;
const SERVER_PORT = 53;
const SERVER = "10.79.0.1";
const TIMEOUT_MS = 120_000;
/** Paced, it sends so many at a time and sleeps: else it would wait in a loop that takes a whole core. */
const PACED = ["--timer=nano", "--pps-multi=250"];
/** Of a file, above any number that a run comes to: its duration ends it. */
const NO_LIMIT = 1_000_000;

/** A capture file to send. */
export interface TrafficFile {
  path: string;
  frames: number;
}

/** What a generator did. `perSecond` is of the time in which it sent. */
export interface Generated {
  packets: number;
  perSecond: number;
}

export interface Load {
  file: TrafficFile;
  /** How long to send, in whole seconds, or how many packets at least. */
  amount: { seconds: number } | { packets: number };
  /** Packets a second; as fast as it goes unless given. */
  rate?: number;
}

/**
 * Writes UDP frames of `frameBytes` bytes, of `connections` connections in turn, to `path`. They are addressed to nobody:
 * the stack behind the hooks lets them go.
 */
export async function writeConnections(
  path: string,
  connections: number,
  frameBytes: number,
): Promise<TrafficFile> {
  const payload = pattern(frameBytes - HEADER_BYTES);
  const frames = Array.from({ length: connections }, (_, index) =>
    frame({
      source: `10.78.${(index >> 8) & 0xff}.${index & 0xff}`,
      destination: SERVER,
      transport: {
        kind: "udp",
        sourcePort: FIRST_PORT + (index % PORTS),
        destinationPort: SERVER_PORT,
        payload,
      },
    }),
  );
  const repeats = Math.ceil(MIN_FRAMES / connections);
  await writePcap(path, Array.from({ length: repeats }, () => frames).flat());
  return { path, frames: repeats * connections };
}

function number(text: string, place: RegExp): number {
  const found = place.exec(text)?.[1];
  if (found === undefined) throw new Error(`tcpreplay's report lacks ${place}:\n${text}`);
  return Number(found);
}

/** Sends a capture file's frames from one end, over and over. Throws when a frame could not be sent. */
export async function generate(end: End, { file, amount, rate }: Load): Promise<Generated> {
  const speed = rate === undefined ? ["--topspeed"] : [`--pps=${rate}`, ...PACED];
  const limit =
    "seconds" in amount
      ? [`--loop=${NO_LIMIT}`, `--duration=${amount.seconds}`]
      : [`--loop=${Math.ceil(amount.packets / file.frames)}`];
  const command = ["tcpreplay", "-i", VETH, ...speed, "--preload-pcap", ...limit, file.path];
  const { stdout } = await end.exec(command, { timeoutMs: TIMEOUT_MS });
  const failed = number(stdout, /Failed packets:\s+(\d+)/);
  if (failed > 0) throw new Error(`${failed} packets could not be sent:\n${stdout}`);
  return {
    packets: number(stdout, /Successful packets:\s+(\d+)/),
    // The seconds that it tells have two digits behind the point; this was worked out of microseconds.
    perSecond: number(stdout, /([\d.]+) pps/),
  };
}
