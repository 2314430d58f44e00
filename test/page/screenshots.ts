/** Makes the pictures of docs/page from a lively lab: `bun test/page/screenshots.ts`. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { ROOT } from "../support/command.ts";
import { lively } from "./support/lively.ts";
import { pastRows } from "./support/past.ts";
import { smallerPng } from "./support/png.ts";
import { openStage, type Stage } from "./support/stage.ts";
import { play } from "./support/traffic.ts";

const FOLDER = join(ROOT, "docs", "page");
const WINDOW = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const DAYS = 35;
/** All connections are open by then. Opening the pages takes the whole machine for a while, and round trips would be longer. */
const OPENED_MS = 6000;
/** Traffic goes on while the pictures are taken; before that, the page has watched it for a while. */
const [TRAFFIC_S, WATCHED_MS] = [110, 60_000];
const STORY_OF = "git.example.net";

type Scheme = "dark" | "light";

const SCREENS: readonly [name: string, open: (page: Page) => Promise<void>][] = [
  ["overview", async (page) => page.getByRole("img", { name: /^Traffic over time\. Received/ }).waitFor()],
  [
    "connections",
    async (page) => {
      await page.getByRole("tab", { name: "Connections" }).click();
      await page.getByRole("row", { name: STORY_OF }).first().waitFor();
    },
  ],
  [
    "story",
    async (page) => {
      await page.getByRole("row", { name: STORY_OF }).first().click();
      await page
        .getByRole("dialog")
        .getByRole("img", { name: /Received/ })
        .waitFor();
      await page.mouse.move(0, 0);
    },
  ],
  [
    "names",
    async (page) => {
      await page.keyboard.press("Escape");
      await page.getByRole("tab", { name: "Names" }).click();
      await page.getByRole("rowheader").nth(8).waitFor();
    },
  ],
  [
    "dns",
    async (page) => {
      await page.getByRole("tab", { name: "DNS" }).click();
      await page.getByText("NXDOMAIN").first().waitFor();
    },
  ],
  [
    "health",
    async (page) => {
      await page.getByRole("tab", { name: "Health" }).click();
      await page.getByText("By the hour").waitFor();
    },
  ],
];

async function shoot(page: Page, name: string): Promise<void> {
  const picture = await page.screenshot({ animations: "disabled", caret: "hide" });
  await Bun.write(join(FOLDER, `${name}.png`), smallerPng(picture));
}

/** All pictures in one colour scheme. */
async function shootAll(stage: Stage, colorScheme: Scheme): Promise<void> {
  const look = { colorScheme, deviceScaleFactor: 1 };
  await Promise.all([
    stage.visit(
      "",
      async (page) => {
        await Bun.sleep(WATCHED_MS);
        for (const [name, open] of SCREENS) {
          await open(page);
          await shoot(page, `${name}-${colorScheme}`);
        }
      },
      { ...look, viewport: WINDOW },
    ),
    stage.visit(
      "",
      async (page) => {
        await Bun.sleep(WATCHED_MS);
        await shoot(page, `phone-${colorScheme}`);
      },
      { ...look, viewport: PHONE, isMobile: true, hasTouch: true },
    ),
  ]);
}

await mkdir(FOLDER, { recursive: true });
const peakMs = Date.now() - 2 * 3_600_000;
await using stage = await openStage({
  past: pastRows({ days: DAYS, endsAgoMs: 0, peakMs }, Date.now()),
  args: ["--aggregation-window", "10", "--connection-timeout", "60"],
});
const traffic = play(stage.lab, lively({ seconds: TRAFFIC_S, peakMs }));
await Bun.sleep(OPENED_MS);
await Promise.all([shootAll(stage, "dark"), shootAll(stage, "light")]);
await traffic;
