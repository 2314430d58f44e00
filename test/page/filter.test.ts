import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import type { LiveAnswer, TopAnswer } from "../../src/page/data/answers.ts";
import { formatBytes } from "../../src/page/text/format.ts";
import { expectAgreement } from "./support/agree.ts";
import { connectionGrid, gridRows, liveRows } from "./support/grid.ts";
import { rankedLines, texts } from "./support/shown.ts";
import { openStage, type Stage } from "./support/stage.ts";
import { exchange, play } from "./support/traffic.ts";

setDefaultTimeout(60_000);

const NAMES = ["www.example.com", "cdn.example.com", "git.example.net"];
const CLIENTS = 8;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  const frames = Array.from({ length: CLIENTS * NAMES.length }, (_, index) =>
    exchange({
      client: `10.40.0.${1 + (index % CLIENTS)}`,
      clientPort: 41_000 + index,
      server: `198.51.100.${1 + (index % NAMES.length)}`,
      serverPort: index % 4 === 0 ? 8443 : 443,
      name: NAMES[index % NAMES.length] ?? null,
      sent: 100,
      received: 1000 + index * 37,
    }),
  );
  await play(stage.lab, frames.flat(), 5000);
  await stage.settle();
});
afterAll(() => stage[Symbol.asyncDispose]());

const box = (page: Page): Locator => page.getByRole("combobox", { name: "Filter" });
const asked = (page: Page): string | null => new URL(page.url()).searchParams.get("q");
const offered = (page: Page): Locator =>
  page.getByRole("listbox", { name: "What may come next" }).getByRole("option");

async function matched(q: string): Promise<number> {
  return (await stage.agent.get<LiveAnswer>(`/api/live?q=${encodeURIComponent(q)}&limit=1`)).matched;
}

/** Waits until the table has the rows of a filter, all of them. */
async function expectFiltered(page: Page, q: string): Promise<void> {
  const query = `sort=bytes_received&order=desc&q=${encodeURIComponent(q)}`;
  const count = await matched(q);
  await expectAgreement(
    async () => (await gridRows(page)).length,
    () => count,
  );
  await expectAgreement(
    () => gridRows(page),
    async () => liveRows(stage.agent, query, await gridRows(page)),
  );
}

test("what is typed is asked for as soon as it makes sense", async () => {
  await stage.visit("?view=connections&sort=bytes_received", async (page) => {
    await expectFiltered(page, "");
    for (const [q, count] of [
      ["client 10.40.0.3", 3],
      ["domain *.example.com and not port 8443", 12],
      ["server port 8443 or client 10.40.0.0/30", 12],
      ["bytes > 2.3k", undefined],
    ] as const) {
      await box(page).fill("");
      await box(page).pressSequentially(q);
      await expectAgreement(
        async () => asked(page),
        () => q,
      );
      await expectFiltered(page, q);
      if (count !== undefined) expect(await gridRows(page)).toHaveLength(count);
    }
  });
});

test("the same filter holds on all screens", async () => {
  const q = "domain cdn.example.com";
  await stage.visit("", async (page) => {
    await box(page).fill(q);
    const { groups } = await stage.agent.get<TopAnswer>(`/api/top?by=client&limit=8&since=-15m&q=${q}`);
    expect(groups).toHaveLength(CLIENTS);
    await expectAgreement(
      async () => (await rankedLines(page, "Clients")).map(({ name, bytes }) => ({ name, bytes })),
      () => groups.map(({ key, bytes }) => ({ name: String(key["client"]), bytes: formatBytes(bytes) })),
    );
    await page.getByRole("tab", { name: "Connections" }).click();
    await page.getByRole("heading", { name: `${CLIENTS} connections that match, now` }).waitFor();
    await page.getByRole("tab", { name: "Names" }).click();
    await expectAgreement(
      () => texts(page.getByRole("rowheader")),
      () => ["cdn.example.com"],
    );
  });
});

test("completion by keyboard: words, then values that are there", async () => {
  await stage.visit("?view=connections&sort=bytes_received", async (page) => {
    await connectionGrid(page).waitFor();
    await page.keyboard.press("/");
    await page.locator("input:focus").waitFor();
    await page.keyboard.type("dom");
    await offered(page).first().waitFor();
    expect(await texts(offered(page).locator("bdi"))).toEqual(["domain"]);
    await page.keyboard.press("ArrowDown");
    const chosen = page.getByRole("option", { selected: true });
    expect(await box(page).getAttribute("aria-activedescendant")).toBe(await chosen.getAttribute("id"));
    await page.keyboard.press("Enter");
    expect(await box(page).inputValue()).toBe("domain ");
    await page.keyboard.type("cd");
    await page.getByRole("option", { name: "cdn.example.com" }).first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Tab");
    expect(await box(page).inputValue()).toBe("domain cdn.example.com ");
    await expectFiltered(page, "domain cdn.example.com");
  });
});

test("a bad filter is marked at its character, says why, and breaks nothing", async () => {
  await stage.visit("?view=connections&sort=bytes_received&q=client+10.40.0.3", async (page) => {
    await expectFiltered(page, "client 10.40.0.3");
    await box(page).fill("client 10.40.0.3 and port abc");
    const alert = page.getByRole("alert");
    await alert.getByText("(character 27)").waitFor();
    expect(await box(page).getAttribute("aria-invalid")).toBe("true");
    expect(await alert.getAttribute("id")).toBe(await box(page).getAttribute("aria-describedby"));
    expect(await page.locator(".filter-mirror .wrong").textContent()).toBe("abc");
    // What was asked for before goes on.
    expect(asked(page)).toBe("client 10.40.0.3");
    await expectFiltered(page, "client 10.40.0.3");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    expect(await box(page).inputValue()).toBe("");
    await alert.waitFor({ state: "detached" });
    await expectFiltered(page, "");
  });
});

test("a bad filter in the URL is told by the page, not a blank one", async () => {
  const tolerated = /status of 400/;
  await stage.visit(
    "?q=port+abc",
    async (page) => {
      await page.getByRole("alert").getByText("(character 6)").waitFor();
      await page.getByRole("button", { name: "Clear the filter" }).click();
      await expectAgreement(
        async () => (await rankedLines(page, "Clients")).length,
        () => 8,
      );
    },
    { tolerated },
  );
});

test("one of a list is asked for, or left out, by a click", async () => {
  await stage.visit("", async (page) => {
    await page
      .getByRole("region", { name: "Names", exact: true })
      .getByRole("button", { name: /^git\.example\.net/ })
      .click();
    await expectAgreement(
      async () => asked(page),
      () => "domain git.example.net",
    );
    await page.getByRole("region", { name: "Clients" }).getByRole("listitem").first().hover();
    await page.getByRole("button", { name: "Leave out 10.40.0.3" }).click();
    await expectAgreement(
      async () => box(page).inputValue(),
      () => "domain git.example.net and not client 10.40.0.3",
    );
    await expectAgreement(
      async () => (await rankedLines(page, "Clients")).map(({ name }) => name).toSorted(),
      () => [1, 2, 4, 5, 6, 7, 8].map((number) => `10.40.0.${number}`),
    );
  });
});
