import { expect, setDefaultTimeout, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { reverseZoneName } from "../../src/inspect/reverse-zone.ts";
import { addressBytes } from "../support/bytes.ts";
import { loadRules } from "./support/counters.ts";
import { createLab, type Lab } from "./support/lab.ts";

setDefaultTimeout(60_000);

const SCRIPT = fileURLToPath(new URL("support/reverse-names.ts", import.meta.url));
const DNS_PORT = 53;
const DNSMASQ_OPTIONS =
  "--keep-in-foreground --conf-file=/dev/null --pid-file= --user=root --no-resolv --no-hosts --bind-interfaces".split(
    " ",
  );
const SILENCE = "table ip t { chain before { type filter hook prerouting priority 0; udp dport 53 drop; }; }";
/** The namespace's programs see this file in place of the host's: `ip netns exec` gives each its own mounts. */
const WITH_RESOLV_CONF = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';

interface Answer {
  names: Record<string, string>;
  counts: Record<string, number>;
  pauseMs: number;
}

/** A name server that knows the given addresses and all of 192.0.2.0/24, and refuses to tell of others. */
async function serveNames(lab: Lab, names: Record<string, string>): Promise<void> {
  const records = Object.entries(names).map(
    ([address, name]) => `--ptr-record=${reverseZoneName(addressBytes(address))},${name}`,
  );
  const server = lab.server.spawn([
    "dnsmasq",
    ...DNSMASQ_OPTIONS,
    `--listen-address=${lab.server.ipv4}`,
    "--local=/2.0.192.in-addr.arpa/",
    ...records,
  ]);
  await server.listening("udp", DNS_PORT);
}

async function ask(lab: Lab, timeoutMs: number, addresses: readonly string[]): Promise<Answer> {
  const command = [process.execPath, SCRIPT, String(timeoutMs), ...addresses];
  const { stdout } = await lab.client.exec([
    "sh",
    "-c",
    WITH_RESOLV_CONF,
    lab.path("resolv.conf"),
    ...command,
  ]);
  return JSON.parse(stdout);
}

test("names come from the namespace's name server, and no answer is told from no name", async () => {
  await using lab = await createLab();
  await Bun.write(lab.path("resolv.conf"), `nameserver ${lab.server.ipv4}\n`);
  const names = { "192.0.2.7": "seven.example", "2001:db8::7": "six.example" };
  await serveNames(lab, names);
  const addresses = [...Object.keys(names), "192.0.2.8", "198.51.100.1"];
  const answered = await ask(lab, 5000, addresses);
  expect(answered).toMatchObject({ names, counts: { found: 2, none: 1, failed: 1, limited: 0 } });

  await loadRules(lab.server.namespace, SILENCE);
  const unanswered = await ask(lab, 300, addresses);
  expect(unanswered).toMatchObject({ names: {}, counts: { found: 0, none: 0, failed: 4, limited: 0 } });
  // One that waits for the name server takes two seconds.
  expect(unanswered.pauseMs).toBeLessThan(1000);
});
