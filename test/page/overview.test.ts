import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import type { StatsAnswer, TimeseriesAnswer, TopAnswer } from "../../src/page/data/answers.ts";
import { formatBytes, formatCount, formatRate, formatShare } from "../../src/page/text/format.ts";
import { expectAgreement } from "./support/agree.ts";
import { pastRows } from "./support/past.ts";
import { HTTP_NAME, runPrograms, startPrograms, TLS_NAMES } from "./support/programs.ts";
import { rankedLines, texts } from "./support/shown.ts";
import { openStage, type Stage } from "./support/stage.ts";

setDefaultTimeout(60_000);

const LIVE = "since=-15m";
const HOUR_MS = 3_600_000;
/** Every so many points of the chart. */
const LOOKED_AT = 5;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ past: pastRows({ days: 1, endsAgoMs: 2 * HOUR_MS }, Date.now()) });
  await startPrograms(stage.lab);
  await runPrograms(stage.lab);
  await stage.settle();
});
afterAll(() => stage[Symbol.asyncDispose]());

const LISTS = [
  ["Names", "domain"],
  ["Clients", "client"],
  ["Servers", "server"],
  ["Services", "server_port"],
  ["Protocols", "protocol"],
  ["Interfaces", "interface"],
] as const;

const SERVICES: ReadonlyMap<unknown, string> = new Map([
  [53, "DNS (53)"],
  [80, "HTTP (80)"],
  [443, "HTTPS (443)"],
  [5201, "iperf3 (5201)"],
]);

function lineName(value: string | number | null | undefined): string {
  return value === null ? "no name" : (SERVICES.get(value) ?? String(value));
}

/** The lines that a list is to have, from the API's own answer. */
async function topLines(by: string) {
  const answer = await stage.agent.get<TopAnswer>(`/api/top?by=${by}&limit=8&${LIVE}`);
  return answer.groups.map(({ key, bytes }) => ({
    name: lineName(key[by]),
    bytes: formatBytes(bytes),
    share: formatShare(bytes / answer.total.bytes),
  }));
}

/** The figures of this second by their labels. */
async function figures(page: Page): Promise<Record<string, string>> {
  const boxes = await texts(page.getByRole("region", { name: "Now, all traffic" }).locator(".figure-box"));
  const labels = await texts(page.locator(".figure-label"));
  return Object.fromEntries(
    labels.map((label, index) => [label, boxes[index]?.slice(label.length).trim() ?? ""]),
  );
}

test("top lists are those of /api/top, and name what was really asked for", async () => {
  await stage.visit("", async (page) => {
    for (const [title, by] of LISTS)
      await expectAgreement(
        () => rankedLines(page, title),
        () => topLines(by),
      );
    const names = (await rankedLines(page, "Names")).map(({ name }) => name);
    expect(names.toSorted()).toEqual([...TLS_NAMES, HTTP_NAME, "no name"].toSorted());
  });
});

test("figures of now are those of /api/stats", async () => {
  await stage.visit("", async (page) => {
    const picked = async () => {
      const { Connections, Lost, "Packets counted": counted } = await figures(page);
      return { Connections, Lost, counted };
    };
    await expectAgreement(picked, async () => {
      const stats = await stage.agent.get<StatsAnswer>("/api/stats");
      return { Connections: formatCount(stats.active_connections), Lost: "0", counted: "100%" };
    });
  });
});

test("the rate of now follows the traffic", async () => {
  await stage.visit("", async (page) => {
    await expectAgreement(
      async () => (await figures(page))["Traffic now"],
      () => "0 bit/s",
    );
    const { client, server } = stage.lab;
    const load = client.exec(["iperf3", "-c", server.ipv4, "-t", "3", "-b", "24M"]);
    // Of the 24 Mbit/s of payload, with headers and acknowledgments.
    await page
      .getByText(/^(2[3-9]|3[01])\.\d Mbit\/s$/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "B/s", exact: true }).click();
    await page
      .getByText(/^(2\.[89]\d|3\.\d\d) MB\/s$/)
      .first()
      .waitFor();
    await load;
  });
});

interface Plot {
  since: number;
  until: number;
}

/** What the legend says at a moment under the pointer. */
async function legendAt(page: Page, plot: Plot, timeMs: number): Promise<string[]> {
  const over = page.locator(".chart-card .u-over");
  const box = await over.boundingBox();
  if (box === null) throw new Error("no chart");
  const x = ((timeMs - plot.since) / (plot.until - plot.since)) * box.width;
  await over.hover({ position: { x, y: box.height / 2 } });
  return await texts(page.locator(".chart-card .legend .figure"));
}

test("the chart has the points of /api/timeseries", async () => {
  // Half a day ago there is a row each ten minutes.
  const since = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 12 * HOUR_MS;
  const until = since + 2 * HOUR_MS;
  const times = `since=${new Date(since).toISOString()}&until=${new Date(until).toISOString()}`;
  await stage.visit(`?${times}`, async (page) => {
    const { total, points, step } = await stage.agent.get<TimeseriesAnswer>(`/api/timeseries?${times}`);
    const all = total.bytes.reduce((sum, bytes) => sum + bytes, 0);
    await page.getByText(`${formatBytes(all)} in 2 h.`).waitFor();
    const chart = page.getByRole("img", { name: /^Traffic over time\./ });
    const highest = Math.max(...total.bytes_received, ...total.bytes_sent) / step;
    expect(await chart.getAttribute("aria-label")).toContain(`Highest ${formatRate(highest, "bits")} at `);
    const looked = [];
    for (const [index, point] of points.entries()) {
      if (index % LOOKED_AT !== 0) continue;
      const rate = (bytes: readonly number[]) => formatRate((bytes[index] ?? 0) / step, "bits");
      const shown = await legendAt(page, { since, until }, Date.parse(point) + (step * 1000) / 2);
      expect(shown).toEqual([rate(total.bytes_received), rate(total.bytes_sent)]);
      looked.push(...shown);
    }
    expect(new Set(looked).size).toBeGreaterThan(points.length / LOOKED_AT / 2);
  });
});
