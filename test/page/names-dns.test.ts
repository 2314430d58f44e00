import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import type {
  DnsAnswer,
  LiveAnswer,
  StatsAnswer,
  StoryAnswer,
  TopAnswer,
} from "../../src/page/data/answers.ts";
import { formatBytes, formatCount, formatMs, formatShare, plural } from "../../src/page/text/format.ts";
import { stateSentence, stateWord } from "../../src/page/text/words.ts";
import { expectAgreement } from "./support/agree.ts";
import { HTTP_NAME, MISSING_NAMES, runPrograms, startPrograms, TLS_NAMES } from "./support/programs.ts";
import { facts, oneLine, tableCells, texts } from "./support/shown.ts";
import { openStage, type Stage } from "./support/stage.ts";

setDefaultTimeout(60_000);

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  await startPrograms(stage.lab);
  await runPrograms(stage.lab);
  await stage.settle();
});
afterAll(() => stage[Symbol.asyncDispose]());

const KNOWN_FROM: ReadonlyMap<unknown, string> = new Map([
  ["sni", "TLS"],
  ["http", "HTTP"],
  ["dns", "DNS"],
]);

/** The rows that the screen of names is to have. */
async function nameRows(by: "domain" | "registered_domain") {
  const { groups, total } = await stage.agent.get<TopAnswer>(`/api/top?by=${by},source&since=-15m&limit=300`);
  return groups.map(({ key, ...sums }) => ({
    Name: String(key[by] ?? "no name"),
    Share: formatShare(sums.bytes / total.bytes),
    Total: formatBytes(sums.bytes),
    Sent: formatBytes(sums.bytes_sent),
    Received: formatBytes(sums.bytes_received),
    RTT: formatMs(sums.rtt_ms),
    "Known from": KNOWN_FROM.get(key["source"]) ?? "–",
  }));
}

test("names are those of /api/top with where they are known from, and fold under the registered name", async () => {
  await stage.visit("?view=names", async (page) => {
    const shown = () => tableCells(page.getByRole("table"));
    await expectAgreement(shown, () => nameRows("domain"));
    const names = new Map((await shown()).map((row) => [row["Name"], row["Known from"]]));
    expect(names).toEqual(
      new Map([...TLS_NAMES.map((name) => [name, "TLS"] as const), [HTTP_NAME, "HTTP"], ["no name", "–"]]),
    );
    await page.getByLabel("Fold names under the registered one").check();
    await expectAgreement(shown, () => nameRows("registered_domain"));
    const folded = new Set((await shown()).map((row) => row["Name"]));
    expect(folded).toEqual(new Set(["example.net", "example.org", "no name", "shop.example"]));
    expect(page.url()).toContain("fold=1");
  });
});

test("a name that is clicked is filtered for, and the back button undoes it", async () => {
  await stage.visit("?view=names", async (page) => {
    await page.getByRole("button", { name: "git.example.net" }).click();
    await expectAgreement(
      async () => (await tableCells(page.getByRole("table"))).map((row) => row["Name"]),
      () => ["git.example.net"],
    );
    expect(await page.getByLabel("Filter", { exact: true }).inputValue()).toBe("domain git.example.net");
    await page.goBack();
    await page.getByRole("button", { name: HTTP_NAME }).waitFor();
    expect(await page.getByLabel("Filter", { exact: true }).inputValue()).toBe("");
  });
});

async function lookupRows(isShown: (rcode: string | null) => boolean = () => true) {
  const { lookups } = await stage.agent.get<DnsAnswer>("/api/dns?limit=1000");
  return lookups
    .filter(({ rcode }) => isShown(rcode))
    .map(({ name, type, rcode, latency_ms, client, server, answers }) => ({
      Name: name,
      Type: type,
      Result: rcode ?? "no answer",
      Latency: formatMs(latency_ms),
      Client: client,
      Server: server,
      Answers: answers.join(", "),
    }));
}

async function shownLookups(page: Page) {
  return (await tableCells(page.getByRole("table"))).map(
    ({ Name, Type, Result, Latency, Client, Server, Answers }) => ({
      Name,
      Type,
      Result,
      Latency,
      Client,
      Server,
      Answers,
    }),
  );
}

test("lookups are those of /api/dns, with response codes counted and latency", async () => {
  await stage.visit("?view=dns", async (page) => {
    await expectAgreement(
      () => shownLookups(page),
      () => lookupRows(),
    );
    const all = await lookupRows();
    expect(all.filter(({ Result }) => Result === "NXDOMAIN").map(({ Name }) => Name)).toEqual(
      MISSING_NAMES.toReversed(),
    );
    const codes = page.getByRole("region", { name: "Response codes" }).getByRole("listitem");
    expect(await texts(codes)).toEqual([
      `NOERROR answered ${all.length - 2} ${formatShare((all.length - 2) / all.length)}`,
      `NXDOMAIN there is no such name 2 ${formatShare(2 / all.length)}`,
    ]);
    const bars = page.getByRole("region", { name: "Time to the answer" }).getByRole("listitem");
    const counts = (await texts(bars.locator(".columns-count"))).map(Number);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(all.length);

    await page.getByLabel("Only failures").check();
    await expectAgreement(
      () => shownLookups(page),
      () => lookupRows((rcode) => rcode !== "NOERROR"),
    );
    await page.getByText(`2 lookups of the last ${all.length}`).waitFor();
  });
});

test("the story of a connection tells its name, how that is known, and the lookup that led to it", async () => {
  const [name] = TLS_NAMES;
  await stage.visit(`?view=connections&q=domain+${name}`, async (page) => {
    await page.getByRole("heading", { name: "1 connection that match, now" }).waitFor();
    await page.getByRole("row").filter({ hasText: name }).click();
    const story = page.getByRole("dialog", { name });
    await story.getByText("Named by the TLS handshake (SNI): the client asked for this name.").waitFor();
    const { connections } = await stage.agent.get<LiveAnswer>(`/api/live?q=domain+${name}`);
    const id = connections[0]?.id ?? "";
    expect(new URL(page.url()).searchParams.get("id")).toBe(id);
    const { connection, lookups } = await stage.agent.get<StoryAnswer>(`/api/connections/${id}`);
    if (connection === null) throw new Error("no live connection");
    const { stats } = connection;
    const told = await facts(story);
    expect(told).toMatchObject({
      "Client sent": `${formatBytes(stats.bytes_sent)} ${plural(stats.packets_sent, "packet")}`,
      "Client received": `${formatBytes(stats.bytes_received)} ${plural(stats.packets_received, "packet")}`,
      Protocol: "TCP on veth0",
      Encryption: "TLS 1.3",
      "Offers (ALPN)": "h2, http/1.1",
      "Fingerprint (JA4)": connection.ja4 ?? "none",
      State: `${stateWord(connection.state)} ${stateSentence(connection.state)}`,
    });
    expect(lookups.length).toBeGreaterThan(0);
    const items = story.locator(".lookups li");
    const answered = lookups.map(({ type, server, rcode, latency_ms, answers }) =>
      oneLine(`${type} at ${server}: ${rcode} in ${formatMs(latency_ms)} ${answers.join("  ")}`),
    );
    expect((await texts(items)).map((text) => text.replace(/^[\d:]+ /, ""))).toEqual(answered);
    await story.getByRole("heading", { name: `Round trip ${formatMs(stats.rtt_ms)}` }).waitFor();
    await story.getByRole("img", { name: /^Traffic of this connection over time\. Received/ }).waitFor();
    await page.keyboard.press("Escape");
    await story.waitFor({ state: "detached" });
  });
});

test("health says coverage and losses of /api/stats in words", async () => {
  await stage.visit("?view=health", async (page) => {
    const sight = page.getByRole("region", { name: "How well the agent sees" });
    await sight
      .getByRole("heading", { name: "100% of packets were counted on a connection. 0 lost." })
      .waitFor();
    await page.getByText("Nothing was lost.").waitFor();
    const rows = page.getByRole("table");
    await expectAgreement(
      () => tableCells(rows),
      async () => {
        const { interfaces } = await stage.agent.get<StatsAnswer>("/api/stats");
        return interfaces.map((one) => ({
          Interface: one.interface,
          Direction: one.direction === "ingress" ? "in" : "out",
          Packets: formatCount(one.packets),
          Bytes: formatBytes(one.bytes),
          "On connections": formatCount(one.attributed_packets),
          "Table full": formatCount(one.overflow_packets),
          "Not IP": formatCount(one.not_ip_packets),
          Malformed: formatCount(one.malformed_packets),
        }));
      },
    );
    await page.getByText(/^AyaFlow \d+\.\d+\.\d+ \(\w*\), running for /).waitFor();
  });
});
