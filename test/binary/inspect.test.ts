/** `ayaflow inspect` as a user runs it, on captures of every form. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressRecord, dnsAnswer, dnsQuery } from "../support/dns.ts";
import { frame, TCP, type FrameSpec } from "../support/frames.ts";
import { writePcap } from "../support/pcap.ts";
import { clientHello, serverHello, tlsRecords } from "../support/tls.ts";
import { BINARY } from "../lab/support/agent.ts";
import { exec } from "../lab/support/process.ts";

const LINKTYPE_RAW = 101;
const LINKTYPE_LINUX_SLL = 113;
const ETHERNET_HEADER = 14;
const NAMES = ["one.example", "two.example"];

let folder = "";
const path = (name: string) => join(folder, name);

function connection(index: number, name: string): Uint8Array[] {
  const ends = { source: `192.0.2.${(index % 250) + 1}`, destination: "198.51.100.7" };
  const sourcePort = 20_000 + (index % 40_000);
  const client = (flags: number, sequence: number, payload: Uint8Array = new Uint8Array()): FrameSpec => ({
    ...ends,
    transport: { kind: "tcp", sourcePort, destinationPort: 443, flags, sequence, payload },
  });
  const server: FrameSpec = {
    source: ends.destination,
    destination: ends.source,
    transport: {
      kind: "tcp",
      sourcePort: 443,
      destinationPort: sourcePort,
      sequence: 9,
      payload: tlsRecords(serverHello({ version: 0x0304 })),
    },
  };
  const hello = tlsRecords(clientHello({ serverName: name, alpn: ["h2", "http/1.1"] }));
  return [client(TCP.syn, 1), client(TCP.ack, 2, hello), server].map(frame);
}

function lookup(): Uint8Array[] {
  const [client, server] = ["192.0.2.1", "198.51.100.53"];
  const query: FrameSpec = {
    source: client,
    destination: server,
    transport: { kind: "udp", sourcePort: 5353, destinationPort: 53, payload: dnsQuery("one.example") },
  };
  const payload = dnsAnswer("one.example", [addressRecord("one.example", "198.51.100.7")]);
  const answer: FrameSpec = {
    source: server,
    destination: client,
    transport: { kind: "udp", sourcePort: 53, destinationPort: 5353, payload },
  };
  return [frame(query), frame(answer)];
}

const FRAMES = [...lookup(), ...NAMES.flatMap((name, index) => connection(index, name))];

interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

async function inspect(args: string, stdin?: string): Promise<Result> {
  const input = stdin === undefined ? "" : `< ${stdin}`;
  const child = Bun.spawn(["bash", "-c", `exec ${BINARY} inspect ${args} ${input}`], {
    cwd: folder,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

const records = (text: string): { domain?: string; name?: string }[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ayaflow-inspect-"));
  await chmod(folder, 0o755);
  await writePcap(path("nanoseconds.pcap"), FRAMES);
  await exec(["editcap", "-F", "pcap", path("nanoseconds.pcap"), path("microseconds.pcap")]);
  await exec(["editcap", "-F", "pcapng", path("nanoseconds.pcap"), path("file.pcapng")]);
  await Bun.write(path("file.pcap.gz"), Bun.gzipSync(await Bun.file(path("nanoseconds.pcap")).bytes()));
  const packets = FRAMES.map((bytes) => bytes.subarray(ETHERNET_HEADER));
  await writePcap(path("raw.pcap"), packets, { linkType: LINKTYPE_RAW });
  const cooked = Uint8Array.from([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0]);
  await writePcap(
    path("cooked.pcap"),
    packets.map((bytes) => Uint8Array.from([...cooked, ...bytes])),
    { linkType: LINKTYPE_LINUX_SLL },
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a capture", () => {
  test("as JSON is one object a connection with what was found", async () => {
    const { code, stdout, stderr } = await inspect("--json nanoseconds.pcap");
    expect([code, stderr]).toEqual([0, ""]);
    expect(records(stdout)[1]).toEqual({
      client: "192.0.2.1:20000",
      server: "198.51.100.7:443",
      protocol: "TCP",
      packets: 3,
      bytes: connection(0, "one.example").reduce((sum, { length }) => sum + length, 0),
      domain: "one.example",
      domain_source: "sni",
      alpn: ["h2", "http/1.1"],
      tls_version: "TLS 1.3",
      ja4: expect.stringMatching(/^t13d\d{4}h2_[0-9a-f]{12}_[0-9a-f]{12}$/),
      ech: false,
    } as never);
  });

  test.each([
    "nanoseconds.pcap",
    "microseconds.pcap",
    "file.pcapng",
    "file.pcap.gz",
    "raw.pcap",
    "cooked.pcap",
  ])("%s is read, as a file and from standard input", async (name) => {
    for (const { code, stdout } of [
      await inspect(`--json --dns ${name}`),
      await inspect("--json --dns -", name),
    ]) {
      expect(code).toBe(0);
      const found = records(stdout);
      expect(found.flatMap(({ domain }) => domain ?? [])).toEqual(NAMES);
      expect(found.flatMap(({ name: asked }) => asked ?? [])).toEqual(["one.example"]);
    }
  });

  test("as a table is for a person", async () => {
    const { stdout } = await inspect("--dns nanoseconds.pcap");
    expect(stdout).toMatch(/^PROTOCOL +CLIENT +SERVER +PACKETS +BYTES +DOMAIN +SOURCE +TLS +ALPN\n/);
    expect(stdout).toMatch(
      /^TCP +192\.0\.2\.1:20000 +198\.51\.100\.7:443 +3 +[\d,]+ +one\.example +sni +TLS 1\.3 +h2,http\/1\.1$/m,
    );
    expect(stdout).toMatch(
      /192\.0\.2\.1 +198\.51\.100\.53 +one\.example +A +NOERROR +0\.0 +198\.51\.100\.7$/m,
    );
  });

  test("from a running tcpdump is read to its end", async () => {
    const program = `tcpdump -r nanoseconds.pcap -U -w - 2>/dev/null | ${BINARY} inspect --json -`;
    const child = Bun.spawn(["bash", "-c", program], { cwd: folder, stdout: "pipe", stderr: "ignore" });
    expect(records(await child.stdout.text()).flatMap(({ domain }) => domain ?? [])).toEqual(NAMES);
  });

  test("needs no root, no kernel and no place to write", async () => {
    await chmod(path("nanoseconds.pcap"), 0o644);
    const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"];
    const command = [...asNobody, BINARY, "inspect", "--json", path("nanoseconds.pcap")];
    const { stdout } = await exec(["env", "-i", "HOME=/nonexistent", ...command]);
    expect(records(stdout)).toHaveLength(3);
  });
});

describe("a damaged capture", () => {
  test("gives what could be read, then an error and exit code 1", async () => {
    const whole = await Bun.file(path("nanoseconds.pcap")).bytes();
    await Bun.write(path("cut.pcap"), whole.subarray(0, whole.length - 10));
    const { code, stdout, stderr } = await inspect("--json cut.pcap");
    expect(code).toBe(1);
    expect(records(stdout).map(({ domain }) => domain)).toEqual([null as never, ...NAMES]);
    expect(stderr).toMatch(/^ayaflow: cut\.pcap: the capture is cut short at byte \d+: /);
  });

  test.each([
    ["is no capture", "#!/bin/sh\necho no capture\n", "this is not a capture"],
    ["is empty", "", "there is nothing in it"],
  ])("that %s is named", async (_, text, words) => {
    await Bun.write(path("other"), text);
    const { code, stdout, stderr } = await inspect("other");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith(`ayaflow: other: ${words}`);
  });

  test("that is not there is named", async () => {
    const { code, stderr } = await inspect("missing.pcap");
    expect(code).toBe(1);
    expect(stderr).toContain("missing.pcap");
  });
});

test("a report longer than a pipe's buffer is whole, and may be read in part", async () => {
  const many = Array.from({ length: 4000 }, (_, index) => connection(index, `host${index}.example`)).flat();
  await writePcap(path("many.pcap"), many);
  const { code, stdout } = await inspect("--json many.pcap");
  expect(code).toBe(0);
  expect(records(stdout).map(({ domain }) => domain)).toEqual(
    Array.from({ length: 4000 }, (_, index) => `host${index}.example`),
  );
  const head = Bun.spawn(
    ["bash", "-c", `${BINARY} inspect --json many.pcap | head -1; echo \${PIPESTATUS[0]}`],
    {
      cwd: folder,
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [out, err] = await Promise.all([head.stdout.text(), head.stderr.text()]);
  expect(out.split("\n")).toHaveLength(3);
  expect(err).toBe("");
});
