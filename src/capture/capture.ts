import { AyaflowError } from "../errors.ts";
import { ByteStream } from "./byte-stream.ts";
import type { CapturedFrame } from "./frame.ts";
import { pcapFlavour, readPcap } from "./pcap.ts";
import { isPcapng, readPcapng } from "./pcapng.ts";

export type { CapturedFrame } from "./frame.ts";

const MAGIC = 4;

function framesOf(stream: ByteStream): AsyncGenerator<CapturedFrame> {
  const magic = stream.peek(MAGIC);
  if (isPcapng(magic)) return readPcapng(stream);
  const flavour = pcapFlavour(magic);
  if (flavour !== null) return readPcap(stream, flavour);
  const found = magic.length === 0 ? "there is nothing in it" : "this is not a capture";
  throw new AyaflowError(
    `${found}: ayaflow reads pcap and pcapng files, as they are or compressed with gzip`,
  );
}

/**
 * The packets of a capture file, pcap or pcapng by its first bytes, each as soon as it is complete. Holds one packet and
 * one chunk of `source`, which is closed in the end however reading ends.
 * @throws AyaflowError naming the byte and the problem where the file is damaged or cut short, after all packets before;
 * or saying what can be read when it is no capture at all.
 */
export async function* readCapture(source: AsyncIterable<Uint8Array>): AsyncGenerator<CapturedFrame> {
  const stream = new ByteStream(source);
  try {
    await stream.fill(MAGIC);
    yield* framesOf(stream);
  } finally {
    await stream.close();
  }
}
