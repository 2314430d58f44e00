import { concat } from "./bytes.ts";

const MAGIC_NANOSECONDS = 0xa1b23c4d;
export const LINKTYPE_ETHERNET = 1;

/**
 * Writes a classic pcap file (draft-ietf-opsawg-pcap) with `frames` as captured, `spacingNs` apart or at `timesNs`.
 * `linkType` is from the registry of link types, Ethernet by default.
 */
export async function writePcap(
  path: string,
  frames: readonly Uint8Array[],
  {
    linkType = LINKTYPE_ETHERNET,
    spacingNs = 1000,
    timesNs,
  }: { linkType?: number; spacingNs?: number; timesNs?: readonly number[] } = {},
): Promise<void> {
  const head = new DataView(new ArrayBuffer(24));
  head.setUint32(0, MAGIC_NANOSECONDS, true);
  head.setUint16(4, 2, true);
  head.setUint16(6, 4, true);
  head.setUint32(16, 262144, true);
  head.setUint32(20, linkType, true);
  const records = frames.flatMap((frame, index) => {
    const record = new DataView(new ArrayBuffer(16));
    const time = timesNs?.[index] ?? index * spacingNs;
    record.setUint32(0, Math.floor(time / 1e9), true);
    record.setUint32(4, time % 1e9, true);
    record.setUint32(8, frame.length, true);
    record.setUint32(12, frame.length, true);
    return [new Uint8Array(record.buffer), frame];
  });
  await Bun.write(path, concat(new Uint8Array(head.buffer), ...records));
}
