/**
 * Milliseconds of requests, asked where the agent runs: `bun request-times.ts URL COUNT` prints them as JSON. They are
 * answered and read in full, one after the other.
 */
import type { End } from "../../lab/support/lab.ts";

/** Milliseconds of `count` GET requests of `path` to the agent of one end; throws on any other status than 200. */
export async function requestTimes(end: End, path: string, count: number): Promise<number[]> {
  const url = `http://127.0.0.1:3000${path}`;
  const { stdout } = await end.exec([process.execPath, import.meta.path, url, String(count)]);
  return JSON.parse(stdout) as number[];
}

async function ask(url: string, count: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) {
    const started = performance.now();
    const response = await fetch(url);
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`${url}: HTTP ${response.status}`);
    times.push(performance.now() - started);
  }
  return times;
}

if (import.meta.main) {
  const [url = "", count] = process.argv.slice(2);
  console.log(JSON.stringify(await ask(url, Number(count))));
}
