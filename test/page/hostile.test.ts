import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import type { DnsAnswer, LiveAnswer } from "../../src/page/data/answers.ts";
import { NO_NAMING } from "../../src/flow/naming.ts";
import type { HistoryRow } from "../support/history-rows.ts";
import { expectAgreement } from "./support/agree.ts";
import { pastRows } from "./support/past.ts";
import { gridRows } from "./support/grid.ts";
import { rankedLines, texts } from "./support/shown.ts";
import { openStage, type Stage } from "./support/stage.ts";
import { exchange, lookup, play } from "./support/traffic.ts";

setDefaultTimeout(60_000);

const LONG = `${"l".repeat(60)}.${"o".repeat(60)}.${"n".repeat(60)}.example`;
const IMAGE = "<img src=x onerror=alert(document.domain)>";
/** As they are on the wire, and as the page shows what the agent lets through of them. */
const NAMES: readonly [sent: string, shown: string][] = [
  [IMAGE, "<img src=x onerror=alert(document.domain)>"],
  ["<svg/onload=alert(1)>.example", "<svg/onload=alert(1)>.example"],
  ["</title><script>alert(1)</script>", "</title><script>alert(1)</script>"],
  ["{{constructor.constructor('alert(1)')()}}", "{{constructor.constructor('alert(1)')()}}"],
  ["javascript:alert(1)", "javascript:alert(1)"],
  ["\u202egnp.live.example", "\ufffdgnp.live.example"],
  ["\u001b[2Jclear.example", "\\033[2jclear.example"],
  ["zero\u200bwidth.example", "zero\ufffdwidth.example"],
  [LONG, LONG],
];
/** What a database may have from elsewhere, as it is stored and as it is to be shown. */
const STORED: readonly [stored: string, shown: string][] = [
  ["\u202egnp.stored.example", "\\u{202e}gnp.stored.example"],
  ["nul\u0000bell\u0007.example", "nul\\u{0}bell\\u{7}.example"],
  ["<img src=x onerror=alert(2)>", "<img src=x onerror=alert(2)>"],
  ["\u2066isolated\u2069.example", "\\u{2066}isolated\\u{2069}.example"],
];

const [, SOME_ROW] = pastRows({ days: 1, endsAgoMs: 0 }, Date.now());
const HOUR_AGO = Date.now() - 3_600_000;

function storedRow(domain: string, index: number): HistoryRow {
  if (SOME_ROW === undefined) throw new Error("no row");
  const naming = { ...NO_NAMING, domain, domainSource: "sni" as const };
  const connection = { ...SOME_ROW.connection, clientPort: 50_000 + index, naming };
  return { ...SOME_ROW, connection, timestampMs: HOUR_AGO + index, bytesSent: 1000 + index };
}

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ past: STORED.map(([stored], index) => storedRow(stored, index)) });
  const exchanges = NAMES.map(([name], index) =>
    exchange({
      client: "10.60.0.1",
      clientPort: 43_000 + index,
      server: `192.0.2.${1 + index}`,
      serverPort: 443,
      name,
      sent: 100,
      received: 40_000 - index * 2000,
    }),
  );
  const web = exchange({
    client: "10.60.0.2",
    clientPort: 44_000,
    server: "192.0.2.99",
    serverPort: 80,
    name: "\u202egnp.web.example",
    sent: 10,
    received: 10,
  });
  const lookups = NAMES.map(([name], index) =>
    lookup({
      client: "10.60.0.1",
      clientPort: 45_000 + index,
      resolver: "192.0.2.53",
      name,
      addresses: [`192.0.2.${1 + index}`],
    }),
  );
  await play(stage.lab, [...exchanges, web, ...lookups].flat(), 5000);
  await stage.settle();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Nothing was made of the names but text, and nothing is wider than the window. Executed code would fail the visit. */
async function expectHarmless(page: Page): Promise<void> {
  expect(await page.locator("img, svg[onload], #page script").count()).toBe(0);
  expect(await page.evaluate("document.querySelector('img[src=x]')")).toBeNull();
  expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
  const text = await page.locator("body").innerText();
  expect(/(?![\n\t])[\p{Cc}\p{Cf}]/u.exec(text)?.[0].codePointAt(0)).toBeUndefined();
}

const SHOWN = [...NAMES.map(([, shown]) => shown), "\ufffdgnp.web.example"];

for (const width of [1280, 360]) {
  const options = { viewport: { width, height: 800 } };

  test(`names from the wire stay text in lists and tables, ${width} pixels wide`, async () => {
    await stage.visit(
      "?view=names",
      async (page) => {
        await expectAgreement(
          async () => (await texts(page.getByRole("rowheader"))).toSorted(),
          () => [...SHOWN, "no name"].toSorted(),
        );
        await expectHarmless(page);
        await page.getByRole("tab", { name: "Overview" }).click();
        await expectAgreement(
          async () => (await rankedLines(page, "Names")).map(({ name }) => name),
          () => SHOWN.slice(0, 8),
        );
        await expectHarmless(page);
        await page.getByLabel("Split the chart").selectOption({ label: "By name" });
        await page.locator(".legend").getByText(IMAGE).waitFor();
        await expectHarmless(page);
        await page.getByRole("tab", { name: "DNS" }).click();
        const { lookups } = await stage.agent.get<DnsAnswer>("/api/dns?limit=100");
        expect(lookups).toHaveLength(NAMES.length);
        await expectAgreement(
          () => texts(page.locator(".lookup-name")),
          () => lookups.map(({ name }) => name),
        );
        await expectHarmless(page);
      },
      options,
    );
  });

  test(`the table of connections and a story keep their form, ${width} pixels wide`, async () => {
    await stage.visit(
      "?view=connections&sort=bytes_received",
      async (page) => {
        const { connections } = await stage.agent.get<LiveAnswer>(
          "/api/live?sort=bytes_received&q=proto+tcp",
        );
        await page.getByRole("row", { name: "web.example" }).waitFor();
        const servers = (await gridRows(page)).map(({ cells }) => cells[1] ?? "");
        for (const { domain, server_ip } of connections) expect(servers).toContain(`${domain} ${server_ip}`);
        const heights = await page
          .locator("tbody tr[role=row]")
          .evaluateAll((rows: readonly unknown[]) =>
            (rows as { offsetHeight: number }[]).map(({ offsetHeight }) => offsetHeight),
          );
        expect(new Set(heights).size).toBe(1);
        await expectHarmless(page);
        for (const name of [IMAGE, LONG]) {
          await page.getByRole("row").filter({ hasText: name }).click();
          await page.getByRole("dialog", { name }).getByText("Named by the TLS handshake").waitFor();
          await expectHarmless(page);
          await page.keyboard.press("Escape");
        }
      },
      options,
    );
  });
}

test("a name without white space can be filtered for, whatever else is in it", async () => {
  await stage.visit("?view=names", async (page) => {
    for (const shown of SHOWN.filter((name) => !/\s/.test(name))) {
      await page.getByRole("rowheader", { name: shown, exact: true }).getByRole("button").click();
      await expectAgreement(
        () => texts(page.getByRole("rowheader")),
        () => [shown],
      );
      await page.getByRole("button", { name: "Clear the filter" }).click();
      await page.getByRole("rowheader", { name: "no name" }).waitFor();
    }
  });
});

test("names are offered to complete with as text", async () => {
  await stage.visit("", async (page) => {
    const box = page.getByRole("combobox", { name: "Filter" });
    await box.click();
    await box.pressSequentially("domain ");
    await page.getByRole("option").filter({ hasText: IMAGE }).first().waitFor();
    await expectHarmless(page);
  });
});

test("stored names with marks that turn or hide text show these marks", async () => {
  const [since, until] = [HOUR_AGO - 60_000, HOUR_AGO + 60_000].map((ms) => new Date(ms).toISOString());
  const wanted = STORED.map(([, shown]) => shown).toSorted();
  await stage.visit(`?view=names&since=${since}&until=${until}`, async (page) => {
    await expectAgreement(
      async () => (await texts(page.getByRole("rowheader"))).toSorted(),
      () => wanted,
    );
    await expectHarmless(page);
    await page.getByRole("tab", { name: "Overview" }).click();
    await expectAgreement(
      async () => (await rankedLines(page, "Names")).map(({ name }) => name).toSorted(),
      () => wanted,
    );
    await expectHarmless(page);
  });
});
