import { lookupView } from "../api/views.ts";
import { readCapture } from "../capture/capture.ts";
import { linkTypeName } from "../capture/link-names.ts";
import { openCapture, STANDARD_INPUT } from "../capture/source.ts";
import { errorMessage, EXIT_FAILURE } from "../errors.ts";
import { FileInspection } from "../inspect/file-inspection.ts";
import type { Lookup } from "../inspect/types.ts";
import { type CommandIo, isBrokenPipe } from "./command-io.ts";
import { connectionRecord, connectionTable, lookupTable } from "./inspect-output.ts";

/** Connections printed between two waits for the reader. */
const LINES_PER_FLUSH = 1000;

export interface InspectOptions {
  /** One JSON object a line instead of tables. */
  json: boolean;
  /** DNS lookups, too. */
  dns: boolean;
}

/** What was left out, one line each. */
function omissions({ unknownLinkTypes, malformed }: FileInspection): string[] {
  const links = [...unknownLinkTypes].map(
    ([type, count]) => `${count} packets of ${linkTypeName(type)} were not read`,
  );
  return malformed === 0 ? links : [...links, `${malformed} packets have no IP header that makes sense`];
}

/** Reads the capture into `inspection`. Returns why it ended before its end, or null. */
async function read(path: string, inspection: FileInspection, io: CommandIo): Promise<string | null> {
  // The program that writes into the pipe gets the signal as well: what it still writes is read to its end.
  const ignore = () => {};
  if (path === STANDARD_INPUT) process.on("SIGINT", ignore);
  try {
    for await (const frame of readCapture(openCapture(path))) inspection.frame(frame);
    return null;
  } catch (error) {
    return errorMessage(error);
  } finally {
    process.off("SIGINT", ignore);
    await io.flush();
  }
}

/**
 * `ayaflow inspect`: the names in the capture at `path` (`-` is standard input). Prints what could be read of a damaged
 * one, then why it ends. Returns the exit code.
 */
export async function inspect(path: string, options: InspectOptions, io: CommandIo): Promise<number> {
  try {
    return await report(path, options, io);
  } catch (error) {
    if (isBrokenPipe(error)) return 0;
    throw error;
  }
}

async function report(path: string, options: InspectOptions, io: CommandIo): Promise<number> {
  const line = (record: unknown) => io.out(`${JSON.stringify(record)}\n`);
  const lookups: Lookup[] = [];
  const inspection = new FileInspection((lookup) => {
    if (!options.dns) return;
    if (options.json) line(lookupView(lookup));
    else lookups.push(lookup);
  });
  const problem = await read(path, inspection, io);
  inspection.finish();
  const { connections } = inspection;
  if (options.json) {
    for (const [index, connection] of connections.entries()) {
      line(connectionRecord(connection));
      if (index % LINES_PER_FLUSH === 0) await io.flush();
    }
  } else {
    if (connections.length > 0) io.out(connectionTable(connections));
    if (lookups.length > 0) io.out(`\n${lookupTable(lookups)}`);
  }
  await io.flush();
  for (const text of omissions(inspection)) io.err(`ayaflow: ${path}: ${text}\n`);
  if (problem === null) return 0;
  io.err(`ayaflow: ${path}: ${problem}\n`);
  return EXIT_FAILURE;
}
