/** Captures with tcpdump, read with tshark. */
import { VETH, type End } from "./lab.ts";
import { exec, type Program } from "./process.ts";
import { waitFor } from "./wait.ts";

// In KiB: enough for some seconds at full speed.
const BUFFER_KIB = 65_536;
const QUIET_MS = 200;

export interface CaptureCounts {
  captured: number;
  received: number;
  dropped: number;
}

function parseCounts(text: string): CaptureCounts {
  // The last report is the one that counts: tcpdump prints one for each SIGUSR1 and one at its end.
  const last = (pattern: RegExp) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? Number.NaN);
  return {
    captured: last(/(\d+) packets? captured/g),
    received: last(/(\d+) packets? received by filter/g),
    dropped: last(/(\d+) packets? dropped by kernel/g),
  };
}

/** A running capture of the packets of one end, both directions, whole. */
export class Capture {
  readonly file: string;
  private readonly program: Program;

  private constructor(file: string, program: Program) {
    this.file = file;
    this.program = program;
  }

  /**
   * Resolves when the capture has really begun.
   * `filter` must not say `inbound` or `outbound`: libpcap judges the first packets itself and gets those wrong.
   */
  static async start(end: End, file: string, filter = ""): Promise<Capture> {
    const options = ["-n", "-s", "0", "-B", String(BUFFER_KIB), "--immediate-mode", "-Z", "root"];
    const program = end.spawn([
      "tcpdump",
      "-i",
      VETH,
      ...options,
      "-w",
      file,
      ...(filter === "" ? [] : [filter]),
    ]);
    await program.printed(/listening on/);
    return new Capture(file, program);
  }

  private async report(): Promise<CaptureCounts> {
    const reports = () => this.program.stderr.match(/dropped by kernel/g)?.length ?? 0;
    const before = reports();
    this.program.signal("SIGUSR1");
    await waitFor(() => reports() > before, "tcpdump gives no statistics");
    return parseCounts(this.program.stderr);
  }

  /** Ends the capture when all that the kernel has kept for it is in the file. */
  async stop(): Promise<CaptureCounts> {
    let last = await this.report();
    // Packets from before the filter was in place count as received only: then wait until nothing more comes.
    while (last.captured + last.dropped < last.received) {
      await Bun.sleep(QUIET_MS);
      const next = await this.report();
      if (next.captured === last.captured) break;
      last = next;
    }
    const { stderr } = await this.program.stop("SIGINT");
    return parseCounts(stderr);
  }
}

/** Rows of tshark fields for the packets of a capture that pass the display `filter`; a field that is absent is "". */
export async function tsharkFields(
  file: string,
  fields: readonly string[],
  { filter = "", preferences = {} }: { filter?: string; preferences?: Record<string, string> } = {},
): Promise<string[][]> {
  const { stdout } = await exec([
    "tshark",
    "-n",
    "-r",
    file,
    "-Tfields",
    "-Eseparator=/t",
    ...fields.flatMap((field) => ["-e", field]),
    ...Object.entries(preferences).flatMap(([key, value]) => ["-o", `${key}:${value}`]),
    ...(filter === "" ? [] : ["-Y", filter]),
  ]);
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\t"));
}
