import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import type { TimeseriesAnswer, TopAnswer } from "../../src/page/data/answers.ts";
import { formatAddress } from "../../src/flow/address.ts";
import { formatBytes, formatShare } from "../../src/page/text/format.ts";
import type { HistoryRow } from "../support/history-rows.ts";
import { expectAgreement } from "./support/agree.ts";
import { DAY_MS, pastRows, sumRows } from "./support/past.ts";
import { rankedLines, tableCells, texts } from "./support/shown.ts";
import { openStage, type Stage } from "./support/stage.ts";

setDefaultTimeout(60_000);

const HOUR_MS = DAY_MS / 24;
const NOW = Date.now();
/** It ends before the last minutes, which the live screens show. */
const ROWS = pastRows({ days: 33, endsAgoMs: 2 * HOUR_MS }, NOW);
/** A whole day of UTC, some days ago. */
const DAY = Math.floor(NOW / DAY_MS) * DAY_MS - 4 * DAY_MS;

const iso = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");
const domainOf = ({ connection }: HistoryRow): string => connection.naming.domain ?? "no name";

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ past: ROWS });
});
afterAll(() => stage[Symbol.asyncDispose]());

/** The lines of the list of names that the rows of a time come to. */
function nameLines(sinceMs: number, untilMs: number) {
  const sums = sumRows(ROWS, sinceMs, untilMs, domainOf);
  const total = sums.reduce((all, [, { bytes }]) => all + bytes, 0);
  return sums
    .slice(0, 8)
    .map(([name, { bytes }]) => ({ name, bytes: formatBytes(bytes), share: formatShare(bytes / total) }));
}

const asPast = (sinceMs: number, untilMs: number): string => `since=${iso(sinceMs)}&until=${iso(untilMs)}`;

test("a day of the past: the sums of its rows, said to be the past, and back to live", async () => {
  await stage.visit(`?${asPast(DAY, DAY + DAY_MS)}`, async (page) => {
    await expectAgreement(
      () => rankedLines(page, "Names"),
      () => nameLines(DAY, DAY + DAY_MS),
    );
    const total = sumRows(ROWS, DAY, DAY + DAY_MS, () => "")[0]?.[1].bytes ?? 0;
    await page.getByText(`${formatBytes(total)} in 1 d.`).waitFor();
    const banner = page.getByRole("status");
    expect(await banner.innerText()).toContain("You are looking at the past: ");
    // The figures of this second have no place there.
    expect(await page.getByRole("region", { name: "Now, all traffic" }).count()).toBe(0);
    await banner.getByRole("button", { name: "Back to live" }).click();
    await page.getByRole("region", { name: "Now, all traffic" }).waitFor();
    expect(await banner.count()).toBe(0);
    expect(new URL(page.url()).search).toBe("");
    await page.goBack();
    await expectAgreement(
      () => rankedLines(page, "Names"),
      () => nameLines(DAY, DAY + DAY_MS),
    );
  });
});

test("all screens show the same time of the past", async () => {
  await stage.visit(`?${asPast(DAY, DAY + DAY_MS)}`, async (page) => {
    await page.getByRole("tab", { name: "Names" }).click();
    const wanted = sumRows(ROWS, DAY, DAY + DAY_MS, domainOf).map(([Name, { bytes, sent, received }]) => ({
      Name,
      Total: formatBytes(bytes),
      Sent: formatBytes(sent),
      Received: formatBytes(received),
    }));
    await expectAgreement(
      async () =>
        (await tableCells(page.getByRole("table"))).map(({ Name, Total, Sent, Received }) => ({
          Name,
          Total,
          Sent,
          Received,
        })),
      () => wanted as Record<"Name" | "Total" | "Sent" | "Received", string | undefined>[],
    );
    await page.getByRole("tab", { name: "Connections" }).click();
    const grid = page.getByRole("grid", { name: "Conversations in the past" });
    const sums = sumRows(ROWS, DAY, DAY + DAY_MS, ({ connection: c }) =>
      [formatAddress(c.client), formatAddress(c.server), c.serverPort, c.protocol].join(" "),
    );
    await page.getByRole("heading", { name: `${sums.length} conversations` }).waitFor();
    await expectAgreement(
      async () => (await tableCells(grid)).map(({ Client, Total }) => `${Client} ${Total}`),
      async () =>
        sums
          .slice(0, (await tableCells(grid)).length)
          .map(([key, { bytes }]) => `${key.split(" ")[0]} ${formatBytes(bytes)}`),
    );
    await page.getByRole("status").getByText("You are looking at the past").waitFor();
  });
});

const PRESETS = [
  ["Last 24 hours", 1],
  ["Last 7 days", 7],
  ["Last 30 days", 30],
] as const;
/** Lengths of a point in seconds. */
const POINTS = new Map([
  [900, "15 min"],
  [3600, "1 h"],
  [21_600, "6 h"],
]);

test("24 hours, 7 and 30 days are history's answers for these times, each at one click", async () => {
  await stage.visit("", async (page) => {
    for (const [words, days] of PRESETS) {
      await page.getByRole("button", { name: words }).click();
      await page.getByRole("status").getByText(`${words}, from history`).waitFor();
      const wanted = async () => {
        const path = `/api/top?by=domain&limit=8&since=-${days}d`;
        const { groups, total } = await stage.agent.get<TopAnswer>(path);
        expect(groups).toHaveLength(8);
        return groups.map(({ key, bytes }) => ({
          name: String(key["domain"] ?? "no name"),
          bytes: formatBytes(bytes),
          share: formatShare(bytes / total.bytes),
        }));
      };
      await expectAgreement(() => rankedLines(page, "Names"), wanted);
      const { step } = await stage.agent.get<TimeseriesAnswer>(`/api/timeseries?since=-${days}d`);
      await page.getByText(`Each point stands for ${POINTS.get(step)}`).waitFor();
    }
  });
});

/** Drags over the chart from one share of its width to another. */
async function drag(page: Page, from: number, to: number): Promise<void> {
  const box = await page.locator(".chart-card .u-over").boundingBox();
  if (box === null) throw new Error("no chart");
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * ((from + to) / 2), y);
  await page.mouse.move(box.x + box.width * to, y);
  await page.mouse.up();
}

function timesOf(page: Page): { since: number; until: number } {
  const query = new URL(page.url()).searchParams;
  return { since: Date.parse(query.get("since") ?? ""), until: Date.parse(query.get("until") ?? "") };
}

test("dragging across the chart zooms all lists, the back button undoes it", async () => {
  await stage.visit(`?${asPast(DAY, DAY + DAY_MS)}`, async (page) => {
    const whole = nameLines(DAY, DAY + DAY_MS);
    await expectAgreement(
      () => rankedLines(page, "Names"),
      () => whole,
    );
    await page.getByRole("img", { name: /^Traffic over time\./ }).waitFor();
    await drag(page, 0.5, 0.75);
    const zoomed = () => timesOf(page);
    await expectAgreement(
      async () => zoomed().since > DAY,
      () => true,
    );
    const { since, until } = zoomed();
    // Half the day on, a quarter of it long, as exactly as a pixel is.
    const pixelMs = DAY_MS / 1000;
    expect(Math.abs(since - (DAY + DAY_MS / 2))).toBeLessThan(4 * pixelMs);
    expect(Math.abs(until - (DAY + (DAY_MS * 3) / 4))).toBeLessThan(4 * pixelMs);
    const path = `/api/top?by=domain&limit=8&since=${iso(since)}&until=${iso(until)}`;
    const { groups, total } = await stage.agent.get<TopAnswer>(path);
    expect(total.bytes).toBeLessThan(sumRows(ROWS, DAY, DAY + DAY_MS, () => "")[0]?.[1].bytes ?? 0);
    await expectAgreement(
      () => rankedLines(page, "Names"),
      () =>
        groups.map(({ key, bytes }) => ({
          name: String(key["domain"] ?? "no name"),
          bytes: formatBytes(bytes),
          share: formatShare(bytes / total.bytes),
        })),
    );
    await page.goBack();
    expect(timesOf(page)).toEqual({ since: DAY, until: DAY + DAY_MS });
    await expectAgreement(
      () => rankedLines(page, "Names"),
      () => whole,
    );
  });
});

test("buttons move in time for those who do not drag", async () => {
  await stage.visit(`?${asPast(DAY, DAY + DAY_MS)}`, async (page) => {
    await page.getByRole("button", { name: "Earlier" }).click();
    expect(timesOf(page)).toEqual({ since: DAY - DAY_MS / 2, until: DAY + DAY_MS / 2 });
    await expectAgreement(
      () => rankedLines(page, "Names"),
      () => nameLines(DAY - DAY_MS / 2, DAY + DAY_MS / 2),
    );
    await page.getByRole("button", { name: "Later" }).click();
    await page.getByRole("button", { name: "Zoom in" }).click();
    expect(timesOf(page)).toEqual({ since: DAY + DAY_MS / 4, until: DAY + (DAY_MS * 3) / 4 });
    await expectAgreement(
      () => rankedLines(page, "Names"),
      () => nameLines(DAY + DAY_MS / 4, DAY + (DAY_MS * 3) / 4),
    );
  });
});

test("a conversation of the past tells its story, and what of it is no longer kept", async () => {
  await stage.visit(`?view=connections&${asPast(DAY, DAY + DAY_MS)}`, async (page) => {
    await page.getByRole("row", { name: "backup.example.org" }).first().click();
    const story = page.getByRole("dialog", { name: "backup.example.org" });
    await story.getByRole("img", { name: /^Traffic of this conversation over time\. Received/ }).waitFor();
    await story.getByText("Single connections are kept for a shorter time than sums").waitFor();
    expect(await texts(story.locator(".badge"))).toEqual(["past"]);
  });
});
