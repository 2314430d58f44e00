import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { loadAxe, violations } from "./support/axe.ts";
import { pastRows } from "./support/past.ts";
import { runPrograms, startPrograms, TLS_NAMES } from "./support/programs.ts";
import { texts } from "./support/shown.ts";
import { openStage, type Stage } from "./support/stage.ts";
import { lookup, play } from "./support/traffic.ts";

setDefaultTimeout(60_000);

const PHONE = { width: 360, height: 740 };

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ past: pastRows({ days: 8, endsAgoMs: 0 }, Date.now()) });
  await startPrograms(stage.lab);
  await runPrograms(stage.lab);
});
afterAll(() => stage[Symbol.asyncDispose]());

/** How to come to each screen from any other, and what is there once it is complete. */
const SCREENS: readonly [name: string, open: (page: Page) => Promise<void>][] = [
  [
    "overview",
    async (page) => {
      await page.getByRole("tab", { name: "Overview" }).click();
      await page.getByRole("img", { name: /^Traffic over time\. Received/ }).waitFor();
      await page.getByRole("region", { name: "Interfaces" }).getByRole("listitem").first().waitFor();
    },
  ],
  [
    "connections",
    async (page) => {
      await page.getByRole("tab", { name: "Connections" }).click();
      await page.getByRole("row", { name: TLS_NAMES[0] }).waitFor();
    },
  ],
  [
    "story",
    async (page) => {
      await page.getByRole("row", { name: TLS_NAMES[0] }).click();
      await page
        .getByRole("dialog")
        .getByRole("heading", { name: /^Round trip/ })
        .waitFor();
    },
  ],
  [
    "names",
    async (page) => {
      await page.keyboard.press("Escape");
      await page.getByRole("tab", { name: "Names" }).click();
      await page.getByRole("rowheader", { name: TLS_NAMES[0] }).waitFor();
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
  [
    "past",
    async (page) => {
      await page.getByRole("button", { name: "Last 7 days" }).click();
      await page.getByRole("tab", { name: "Connections" }).click();
      await page.getByRole("row", { name: "backup.example.org" }).first().waitFor();
    },
  ],
  [
    "bad filter",
    async (page) => {
      await page.getByRole("combobox", { name: "Filter" }).fill("port abc");
      await page.getByRole("alert").waitFor();
    },
  ],
  [
    "help",
    async (page) => {
      await page.getByRole("button", { name: "Clear the filter" }).click();
      await page.getByRole("button", { name: "Keys and help" }).click();
      await page.getByRole("dialog", { name: "Keys and filters" }).waitFor();
    },
  ],
];

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing serious on any screen, ${colorScheme}`, async () => {
    await stage.visit(
      "",
      async (page) => {
        await loadAxe(page);
        for (const [name, open] of SCREENS) {
          await open(page);
          const serious = (await violations(page)).filter(({ impact }) =>
            ["serious", "critical"].includes(impact),
          );
          expect({ name, serious }).toEqual({ name, serious: [] });
        }
      },
      { colorScheme },
    );
  });
}

test("on a phone nothing is wider than the screen, and axe finds nothing serious", async () => {
  await stage.visit(
    "",
    async (page) => {
      await loadAxe(page);
      for (const [name, open] of SCREENS) {
        await open(page);
        const wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        const serious = (await violations(page)).filter(({ impact }) =>
          ["serious", "critical"].includes(impact),
        );
        expect({ name, wider, serious }).toEqual({ name, wider: 0, serious: [] });
      }
    },
    { viewport: PHONE, isMobile: true, hasTouch: true },
  );
});

/** Of the page's ground, 0 for black to 255 for white. */
async function brightness(page: Page): Promise<number> {
  const color: string = await page.evaluate("getComputedStyle(document.body).backgroundColor");
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return (red + green + blue) / 3;
}

test("bars of the time to the answer are as high as their counts", async () => {
  const lookups = Array.from({ length: 60 }, (_, index) =>
    lookup({
      client: "10.77.0.1",
      clientPort: 47_000 + index,
      resolver: "192.0.2.53",
      name: `name${index}.example`,
      addresses: ["192.0.2.1"],
      atMs: index * 3,
      latencyMs: index < 29 ? 5 : index < 55 ? 20 : 60,
    }),
  );
  await play(stage.lab, lookups.flat());
  await stage.visit(
    "?view=dns",
    async (page) => {
      const bars = page.getByRole("region", { name: "Time to the answer" }).getByRole("listitem");
      await page.getByText("name59.example").waitFor();
      const counts = (await texts(bars.locator(".columns-count"))).map(Number);
      const heights = await bars
        .locator(".columns-bar")
        .evaluateAll((all: readonly unknown[]) =>
          (all as { clientHeight: number }[]).map(({ clientHeight }) => clientHeight),
        );
      expect(counts.filter((count) => count > 0).length).toBeGreaterThan(1);
      const [most, highest] = [Math.max(...counts), Math.max(...heights)];
      // A bar of nothing is a line.
      const wanted = counts.map((count) => Math.max(1, (count / most) * highest));
      for (const [index, height] of heights.entries()) {
        expect(Math.abs(height - (wanted[index] ?? 0))).toBeLessThanOrEqual(1);
      }
    },
    { reducedMotion: "reduce" },
  );
});

test("colours follow the system until one chooses others, which are kept", async () => {
  await stage.visit(
    "",
    async (page) => {
      await page.getByRole("heading", { name: "Traffic over time" }).waitFor();
      expect(await brightness(page)).toBeLessThan(40);
      await page.emulateMedia({ colorScheme: "light" });
      expect(await brightness(page)).toBeGreaterThan(215);
      await page.getByRole("button", { name: "Colours: as the system; change" }).click();
      await page.getByRole("button", { name: "Colours: light; change" }).click();
      await page.getByRole("button", { name: "Colours: dark; change" }).waitFor();
      expect(await brightness(page)).toBeLessThan(40);
      await page.reload();
      await page.getByRole("button", { name: "Colours: dark; change" }).waitFor();
      expect(await brightness(page)).toBeLessThan(40);
    },
    { colorScheme: "dark" },
  );
});

/** How many elements move, or would. */
const MOVING = `[...document.querySelectorAll("*")].map((one) => getComputedStyle(one)).filter(
  ({ animationName, transitionDuration }) => animationName !== "none" || /[1-9]/.test(transitionDuration)).length`;

test("who wants no motion gets none", async () => {
  await stage.visit("", async (page) => {
    await page.locator(".ranked-bar").first().waitFor();
    expect(await page.evaluate(MOVING)).toBeGreaterThan(0);
    await page.emulateMedia({ reducedMotion: "reduce" });
    expect(await page.evaluate(MOVING)).toBe(0);
  });
});

test("the page comes with a strict policy, and nothing of it from elsewhere", async () => {
  const response = await fetch(`${stage.url}/`, { headers: { accept: "text/html" } });
  const policy = new Map(
    (response.headers.get("content-security-policy") ?? "").split("; ").map((directive) => {
      const [name = "", ...values] = directive.split(" ");
      return [name, values.join(" ")];
    }),
  );
  expect(policy.get("default-src")).toBe("'none'");
  expect(policy.get("require-trusted-types-for")).toBe("'script'");
  expect(policy.get("frame-ancestors")).toBe("'none'");
  for (const name of ["script-src", "style-src", "connect-src"]) expect(policy.get(name)).toBe("'self'");
  expect([...policy.values()].join(" ")).not.toMatch(/unsafe|\*|http/);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  const html = await response.text();
  expect(html).not.toMatch(/<script(?![^>]* src="\/)|https?:|style=| on\w+=/);
});
