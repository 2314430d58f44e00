import { expect, setDefaultTimeout, test } from "bun:test";
import { connectionOf } from "./support/answers.ts";
import { createLab } from "./support/lab.ts";
import { serveDns } from "./support/name-servers.ts";
import type { Tmux } from "./support/tmux.ts";
import {
  AGENT_URL,
  download,
  DOWNLOADS,
  openTerminal,
  serversOf,
  TOP,
  watchDownloads,
} from "./support/top.ts";

setDefaultTimeout(120_000);

/** Turns the line round and makes it red. */
const HOSTILE = "h\u202ei\u001b[31m";
const LARGEST_FIRST = DOWNLOADS.map(({ name }) => name);

async function expectServers(terminal: Tmux, names: readonly string[]): Promise<void> {
  await terminal.until((lines) => serversOf(lines).join() === names.join(), names.join(" "));
}

test("sorts, filters as typed, pauses, opens a connection", async () => {
  await using lab = await createLab();
  await using agent = await watchDownloads(lab);
  await using terminal = await openTerminal(lab);
  await terminal.run(TOP);
  const first = await terminal.shows("1/3");
  expect(first.length).toBe(24);
  expect(first[0]).toStartWith(`ayaflow top  ${AGENT_URL}  up `);
  expect(first[2]).toBe("Counts 100% of IP packets on connections; nothing lost.");
  expect(first[4]?.trim().split(/\s+/)).toEqual([
    "CLIENT",
    "SERVER",
    "PROTO",
    "▼RATE",
    "SENT",
    "RECEIVED",
    "RTT",
  ]);
  // No row is wrapped or cut: each begins with its client and ends with its round trip.
  for (const row of first.slice(5, 8)) expect(row).toMatch(/^[ ›]10\.77\.0\.1:\d+ .* \d[\d.]* ms$/);
  expect(first.slice(8, 23).join("")).toBe("");

  await terminal.keys("s", "s");
  await terminal.shows("▼RECEIVED");
  await expectServers(terminal, LARGEST_FIRST);
  await terminal.keys("r");
  await terminal.shows("▲RECEIVED");
  await expectServers(terminal, LARGEST_FIRST.toReversed());
  await terminal.keys("r");

  await terminal.keys("/");
  await terminal.type("domain middle.example");
  await terminal.shows("1/1");
  await expectServers(terminal, ["middle.example"]);
  await terminal.type(" and prt 80");
  const wrong = await terminal.shows("did you mean port?");
  expect(wrong.at(-2)?.indexOf("^^^")).toBe(wrong.at(-3)?.indexOf("prt"));
  // What cannot be read changes nothing.
  expect(serversOf(wrong)).toEqual(["middle.example"]);
  await terminal.keys("C-u");
  await terminal.type("port 8001 or port 8003");
  await terminal.keys("Enter");
  await terminal.shows("Filter: port 8001 or port 8003");
  await expectServers(terminal, ["big.example", "small.example"]);
  await terminal.keys("/", "C-u", "Enter");
  await expectServers(terminal, LARGEST_FIRST);

  await terminal.keys("p");
  await terminal.shows("PAUSED");
  await download(lab, DOWNLOADS[2]);
  await connectionOf(agent, 8003, ({ stats }) => stats.bytes_received > 0);
  await terminal.keys("Down");
  await terminal.shows("2/3");
  await terminal.keys("p");
  await terminal.shows("2/4");

  await terminal.keys("Home", "Enter");
  const details = await terminal.shows(/History +\d\d:\d\d:\d\d sent .*received/, 30_000);
  const text = details.join(" ").replaceAll(/ +/g, " ");
  for (const part of [
    / Server 10\.77\.0\.2:8001 /,
    / Name big\.example, asked for in an HTTP request /,
    / Received 5\.\d\d MB \(5,\d{3},\d{3} bytes\) in [\d,]+ packets; \d+ retransmitted, /,
    / Round trip [\d.]+ ms \([\d.]+ ms to the client, [\d.]+ ms to the server\), at the handshake /,
  ]) {
    expect(text).toMatch(part);
  }
  await terminal.keys("Escape");
  await terminal.shows("1/4");
});

test("names, talkers, interfaces and lookups", async () => {
  await using lab = await createLab();
  // The kernel takes any bytes but spaces and slashes as a name.
  await lab.server.namespace.ip("link", "add", HOSTILE, "type", "veth", "peer", "name", "peer0");
  await using _agent = await watchDownloads(lab, ["--interface", "veth0,h*"]);
  await serveDns(lab.server, ["--host-record=host.example,10.77.0.9"]);
  await lab.client.exec(["dig", "+tries=1", `@${lab.server.ipv4}`, "host.example"]);
  await using terminal = await openTerminal(lab, { columns: 100 });
  await terminal.run(TOP);
  await terminal.shows("small.example");
  await terminal.keys("2");
  await terminal.shows("NAME (last 5 minutes)");
  const names = await terminal.shows("small.example", 30_000);
  const order = names.flatMap((line) => /^[ ›](\S+\.example) /.exec(line)?.[1] ?? []);
  expect(order).toEqual(LARGEST_FIRST);
  await terminal.keys("Tab");
  await terminal.shows(/^›10\.77\.0\.1 +5\.\d\d MB/m);
  await terminal.keys("4");
  await terminal.shows(/^[ ›]veth0 +in .*100%/m);
  await terminal.shows(/^[ ›]h\\u\{202e\}i\\u\{1b\}\[31m +in /m);
  await terminal.keys("5");
  await terminal.shows(/ 10\.77\.0\.1 +host\.example +A +NOERROR +[\d.]+ ms 10\.77\.0\.9/);
  // A name leads to its connections.
  await terminal.keys("2", "Home");
  await terminal.shows("›big.example");
  await terminal.keys("Enter");
  await terminal.shows("Filter: domain big.example");
  await expectServers(terminal, ["big.example"]);
});

test("follows the size of the terminal", async () => {
  await using lab = await createLab();
  await using _agent = await watchDownloads(lab);
  await using terminal = await openTerminal(lab);
  await terminal.run(TOP);
  await terminal.shows("1/3");
  await terminal.resize(140, 40);
  const large = await terminal.shows(/RETRANS +STATE +INTERFACE/);
  await terminal.until((lines) => lines.at(-1)?.endsWith("1/3") === true, "the last line at the bottom");
  expect(large.length).toBe(40);
  await terminal.resize(60, 10);
  const isSmall = (lines: string[]) =>
    lines.length === 10 &&
    lines[4]?.includes("RTT") === false &&
    lines.slice(5, 8).every((line) => line.includes("10.77.0.1:")) &&
    lines[9]?.endsWith("1/3") === true;
  await terminal.until(isSmall, "three rows and fewer columns");
  await terminal.resize(40, 8);
  await terminal.shows("40x8 is too small:");
  await terminal.resize(80, 24);
  await terminal.shows("1/3");
  expect((await terminal.lines())[0]).toStartWith("ayaflow top");
});
