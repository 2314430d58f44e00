/**
 * Asks the name servers of /etc/resolv.conf for the names of the addresses in its arguments, the first of which is the
 * timeout in milliseconds. Prints, once every query has ended, what came of them and the longest pause of the event loop.
 */
import { parseAddress } from "../../../src/flow/address.ts";
import { ReverseNames } from "../../../src/inspect/reverse-names.ts";
import { systemResolver } from "../../../src/inspect/reverse-zone.ts";

const POLL_MS = 2;

const [timeoutMs, ...addresses] = process.argv.slice(2);
const names: Record<string, string> = {};
const reverse = new ReverseNames({
  resolve: systemResolver(),
  now: () => performance.now(),
  timeoutMs: Number(timeoutMs),
});
for (const address of addresses) {
  reverse.request(parseAddress(address) ?? new Uint8Array(), (name) => {
    names[address] = name;
  });
}
let pauseMs = 0;
const { counts } = reverse;
while (counts.found + counts.none + counts.failed < addresses.length) {
  const beforeMs = performance.now();
  reverse.tick();
  await Bun.sleep(POLL_MS);
  pauseMs = Math.max(pauseMs, performance.now() - beforeMs);
}
console.log(JSON.stringify({ names, counts, pauseMs }));
// As the agent ends: queries that were given up may still be in flight.
process.exit(0);
