import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { expectAgreement } from "./support/agree.ts";
import { texts } from "./support/shown.ts";
import { openStage, type Stage } from "./support/stage.ts";
import { exchange, play } from "./support/traffic.ts";

setDefaultTimeout(60_000);

/** What the browser itself writes to its console for an answer that did not come. */
const NO_ANSWER = /^Failed to load resource: net::ERR_/;
const NOT_LET_IN = /^Failed to load resource: the server responded with a status of 401/;
const MARK = "globalThis.isStillThere = true";

async function talk(stage: Stage, name: string): Promise<void> {
  const frames = exchange({
    client: "10.50.0.1",
    clientPort: 42_000,
    server: "192.0.2.9",
    serverPort: 443,
    name,
    sent: 500,
    received: 9000,
  });
  await play(stage.lab, frames, 5000);
}

describe("an agent that goes away", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
    await talk(stage, "before.example");
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  test("the page says so, keeps what it has, and goes on by itself when the agent is back", async () => {
    await stage.visit(
      "?view=connections",
      async (page) => {
        await page.getByRole("row", { name: "before.example" }).waitFor();
        // Lost by a reload.
        await page.evaluate(MARK);
        await stage.stopAgent();
        const banner = page.getByRole("alert");
        await banner.getByText("The agent does not answer.").waitFor();
        await banner.getByText("What you see is from before").waitFor();
        await page.getByRole("row", { name: "before.example" }).waitFor();
        await page.getByRole("tab", { name: "Overview" }).click();
        await page.getByRole("tab", { name: "Connections" }).click();

        await stage.startAgent();
        await banner.waitFor({ state: "detached" });
        await talk(stage, "after.example");
        await page.getByRole("row", { name: "after.example" }).waitFor();
        expect(await page.getByRole("row", { name: "before.example" }).count()).toBe(0);
        // History was kept.
        await page.getByRole("tab", { name: "Names" }).click();
        await expectAgreement(
          async () => (await texts(page.getByRole("rowheader"))).toSorted(),
          () => ["after.example", "before.example"],
        );
        expect(await page.evaluate("globalThis.isStillThere")).toBe(true);
      },
      { tolerated: NO_ANSWER },
    );
  });
});

describe("an agent that wants a token", () => {
  const TOKEN = "a-token-of-more-than-enough-characters-0123456789";
  const tolerated = NOT_LET_IN;
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage({ env: { AYAFLOW_API_TOKEN: TOKEN }, args: ["--health-public"] });
    await talk(stage, "secret.example");
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  const prompt = (page: Page) => page.getByRole("dialog", { name: "This agent wants a token" });

  async function give(page: Page, token: string): Promise<void> {
    await prompt(page).getByLabel("Token", { exact: true }).fill(token);
    await page.keyboard.press("Enter");
  }

  test("is asked for, refused when wrong, kept for the tab alone and never in the URL", async () => {
    await stage.visit(
      "?view=names",
      async (page) => {
        const requested: string[] = [];
        page.on("request", (request) => requested.push(request.url()));
        await prompt(page).waitFor();
        expect(await page.getByText("secret.example").count()).toBe(0);
        await page.keyboard.press("Escape");
        await prompt(page).waitFor();
        await give(page, "wrong");
        await prompt(page).getByRole("alert").getByText("The agent refused that token.").waitFor();
        await give(page, TOKEN);
        await page.getByRole("rowheader", { name: "secret.example" }).waitFor();
        expect(await prompt(page).count()).toBe(0);

        await page.reload();
        await page.getByRole("rowheader", { name: "secret.example" }).waitFor();
        expect(await prompt(page).count()).toBe(0);
        expect(await page.evaluate("localStorage.length")).toBe(0);
        for (const url of [...requested, page.url()]) expect(url).not.toContain(TOKEN);
      },
      { tolerated },
    );
    // Another tab does not know it.
    await stage.visit("", async (page) => prompt(page).waitFor(), { tolerated });
  });

  test("is remembered by the browser when that is wished", async () => {
    await stage.visit(
      "?view=names",
      async (page) => {
        await prompt(page).getByLabel("Remember it in this browser").check();
        await give(page, TOKEN);
        await page.getByRole("rowheader", { name: "secret.example" }).waitFor();
        const other = await page.context().newPage();
        await other.goto(`${stage.url}/?view=names`);
        await other.getByRole("rowheader", { name: "secret.example" }).waitFor();
      },
      { tolerated },
    );
  });
});
