/**
 * Floods the inspector with handshakes that do not end, and shows what memory that takes:
 * `bun test/fuzz/flood.ts [connections, a million unless said otherwise] [part of a flood's name]`.
 * Each flood runs in a process of its own.
 */
import { FLOODS, type FloodReport, runFlood } from "./flooding.ts";

const CONNECTIONS = 1_000_000;
const MEBIBYTE = 1024 * 1024;
const ONE = "--one";

function cells(...list: readonly (string | number)[]): string {
  return list.map((cell, at) => (at === 0 ? String(cell).padEnd(28) : String(cell).padStart(11))).join("");
}

function show({
  name,
  size,
  evicted,
  stated,
  mostStated,
  heap,
  resident,
  connections,
  seconds,
}: FloodReport): void {
  const mebibytes = [mostStated, heap, resident].map((bytes) => (bytes / MEBIBYTE).toFixed(1));
  const ratio = stated === 0 ? "-" : (heap / stated).toFixed(2);
  const each = size === 0 ? "-" : Math.round(heap / size);
  const rate = Math.round(connections / seconds);
  console.log(cells(name, connections, size, evicted, ...mebibytes, ratio, each, rate));
}

const [first = String(CONNECTIONS), second = ""] = process.argv.slice(2);
if (first === ONE) {
  const [index, connections] = process.argv.slice(3).map(Number);
  const flood = FLOODS[index ?? 0];
  if (flood !== undefined) show(await runFlood(flood, connections ?? CONNECTIONS));
} else {
  console.log(
    cells(
      "flood",
      "conns",
      "held",
      "evicted",
      "stated MiB",
      "heap MiB",
      "peak RSS",
      "heap/stated",
      "heap each",
      "conns/s",
    ),
  );
  for (const [index, { name }] of FLOODS.entries()) {
    if (!name.includes(second)) continue;
    const child = Bun.spawnSync([process.execPath, import.meta.path, ONE, String(index), first], {
      stdout: "inherit",
      stderr: "inherit",
    });
    if (!child.success) process.exit(1);
  }
}
