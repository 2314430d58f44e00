import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { expectAgreement } from "./support/agree.ts";
import { connectionGrid, type GridRow, gridRows, liveRows } from "./support/grid.ts";
import { openStage, type Stage } from "./support/stage.ts";
import { exchange, play, type Timed } from "./support/traffic.ts";

setDefaultTimeout(60_000);

const CONNECTIONS = 5200;
const NAMED_EVERY = 10;
const PER_SECOND = 20_000;
/** Far fewer than there are connections. */
const MAX_ROW_ELEMENTS = 200;
const BY_RECEIVED = "sort=bytes_received&order=desc";

const clientOf = (index: number): string => `10.30.${index >> 8}.${index & 0xff}`;

/** Connection `index` receives more than those before it. */
function connection(index: number): Timed[] {
  return exchange({
    client: clientOf(index),
    clientPort: 40_000 + (index % 1000),
    server: `192.0.2.${1 + (index % 50)}`,
    serverPort: index % 3 === 0 ? 8443 : 443,
    name: index % NAMED_EVERY === NAMED_EVERY - 1 ? `host${index}.site${index % 7}.example` : null,
    sent: 200 + (index % 900),
    received: 300 + index,
    resent: index % 500 === 1 && index < 2000 ? 1 : 0,
  });
}

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  const frames = Array.from({ length: CONNECTIONS }, (_, index) => connection(index)).flat();
  await play(stage.lab, frames, PER_SECOND);
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Waits until all rows in the page are those of /api/live, and gives them. */
async function expectRows(page: Page, query: string): Promise<GridRow[]> {
  let shown: GridRow[] = [];
  await expectAgreement(
    async () => (shown = await gridRows(page)),
    () => liveRows(stage.agent, query, shown),
  );
  expect(shown.length).toBeGreaterThan(0);
  return shown;
}

async function scrollBy(page: Page, share: number): Promise<void> {
  await connectionGrid(page)
    .locator("xpath=..")
    .evaluate((scroller: unknown, to) => {
      const element = scroller as { scrollTop: number; scrollHeight: number };
      element.scrollTop = element.scrollHeight * to;
    }, share);
}

test("5,200 connections: rows are right wherever one looks, and few are in the page", async () => {
  await stage.visit("?view=connections&sort=bytes_received", async (page) => {
    await page.getByRole("heading", { name: "5,200 connections now" }).waitFor();
    expect(await connectionGrid(page).getAttribute("aria-rowcount")).toBe(String(CONNECTIONS + 1));
    const top = await expectRows(page, BY_RECEIVED);
    expect(top[0]?.cells[0]).toBe(`${clientOf(CONNECTIONS - 1)}:40199`);

    await scrollBy(page, 0.5);
    await page.getByRole("row", { name: clientOf(2590) }).waitFor();
    const middle = await expectRows(page, BY_RECEIVED);
    expect(middle[0]?.index).toBeGreaterThan(2500);
    expect(await page.locator("tr").count()).toBeLessThan(MAX_ROW_ELEMENTS);

    await connectionGrid(page).focus();
    await page.keyboard.press("End");
    await page.getByRole("row", { name: `${clientOf(0)}:40000` }).waitFor();
    const end = await expectRows(page, BY_RECEIVED);
    expect(end.at(-1)?.index).toBe(CONNECTIONS - 1);
    expect(end.at(-1)?.cells.slice(0, 3)).toEqual([`${clientOf(0)}:40000`, "192.0.2.1", "HTTPS 8443"]);
    await page.keyboard.press("Home");
    await expectAgreement(
      async () => (await gridRows(page))[0]?.index,
      () => 0,
    );
    expect(await page.locator("tr").count()).toBeLessThan(MAX_ROW_ELEMENTS);
  });
});

/** What each head sorts by, and the order of its first click. */
const HEADS = [
  ["Client", "client", "asc"],
  ["Server", "domain", "asc"],
  ["Service", "server_port", "asc"],
  ["State", "state", "asc"],
  ["Sent", "bytes_sent", "desc"],
  ["Received", "bytes_received", "desc"],
  ["RTT", "rtt", "desc"],
  ["Retr.", "retransmits", "desc"],
  ["Age", "first_seen", "asc"],
] as const;

/** The earlier it was first seen, the greater the age. */
const isFalling = (sort: string, order: string): boolean => (order === "desc") !== (sort === "first_seen");

test("a click on a head sorts by it, a second one the other way round", async () => {
  await stage.visit("?view=connections", async (page) => {
    for (const [label, sort, first] of HEADS) {
      const head = page.getByRole("columnheader", { name: label });
      for (const order of [first, first === "asc" ? "desc" : "asc"]) {
        await head.getByRole("button").click();
        expect(await head.getAttribute("aria-sort")).toBe(
          isFalling(sort, order) ? "descending" : "ascending",
        );
        await expectRows(page, `sort=${sort}&order=${order}`);
      }
      expect(new URL(page.url()).searchParams.get("sort")).toBe(sort);
    }
  });
});

test("held still, the table does not change until it goes on", async () => {
  await stage.visit("?view=connections&sort=bytes_received", async (page) => {
    const before = await expectRows(page, BY_RECEIVED);
    await page.keyboard.press("p");
    const button = page.getByRole("button", { name: "Go on" });
    expect(await button.getAttribute("aria-pressed")).toBe("true");
    await play(
      stage.lab,
      exchange({
        client: "10.31.0.1",
        clientPort: 50_000,
        server: "192.0.2.60",
        serverPort: 443,
        name: "late.example",
        sent: 100,
        received: 60_000,
      }),
      PER_SECOND,
    );
    // The figures at the top of the page go on, once a second as the table would.
    for (const _ of [1, 2]) await page.waitForResponse(/\/api\/stats/);
    expect(await gridRows(page)).toEqual(before);
    await button.click();
    await page.getByRole("row", { name: "late.example" }).waitFor();
    const after = await expectRows(page, BY_RECEIVED);
    expect(after[0]?.cells[1]).toBe("late.example 192.0.2.60");
  });
});

test("the keyboard moves through the table and opens the story of a row", async () => {
  await stage.visit("?view=connections&sort=bytes_received&q=client+10.30.0.0/24", async (page) => {
    await page.getByRole("heading", { name: "256 connections that match, now" }).waitFor();
    const shown = await expectRows(page, `${BY_RECEIVED}&q=client+10.30.0.0/24`);
    await connectionGrid(page).focus();
    for (const _ of [1, 2, 3]) await page.keyboard.press("ArrowDown");
    const row = page.getByRole("row", { selected: true });
    expect(await row.getAttribute("aria-rowindex")).toBe("4");
    expect(await connectionGrid(page).getAttribute("aria-activedescendant")).toBe(
      await row.getAttribute("id"),
    );
    await page.keyboard.press("Enter");
    const [client = ""] = shown[2]?.cells ?? [];
    await page.getByRole("dialog").getByText(client).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // The focus is where it was.
    await page.locator("table:focus").waitFor();
  });
});
