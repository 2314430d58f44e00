import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { openStage, type Stage } from "./support/stage.ts";
import { exchange, play } from "./support/traffic.ts";

setDefaultTimeout(60_000);

const MOST_STEPS = 150;
const STOPS = "a[href], button, input, select, [tabindex]";
/** Marks what has the focus; tells its name, and whether it is to be seen that it has it. */
const FOCUSED = `(() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  one.dataset.walked = "";
  const shows = (element) => {
    const { outlineStyle, boxShadow } = getComputedStyle(element);
    return outlineStyle !== "none" || boxShadow !== "none";
  };
  const isSeen = shows(one) || shows(one.parentElement) || shows(one.parentElement.parentElement);
  return { name: one.getAttribute("aria-label") ?? one.textContent, isSeen };
})()`;
const MISSED = `[...document.querySelectorAll("${STOPS}")]
  .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility() && one.dataset.walked === undefined)
  .map((one) => one.outerHTML.slice(0, 120))`;

const FORGET = `document.querySelectorAll("[data-walked]").forEach((one) => one.removeAttribute("data-walked"))`;

/** The screens, and what is there once each is complete. */
const SCREENS: readonly [name: string, ready: (page: Page) => Locator][] = [
  ["Overview", (page) => page.getByRole("region", { name: "Interfaces" }).getByRole("listitem")],
  ["Connections", (page) => page.getByRole("row", { name: "host3.example" })],
  ["Names", (page) => page.getByRole("rowheader").nth(2)],
  ["DNS", (page) => page.getByText("No lookup in this time.")],
  ["Health", (page) => page.getByText("Nothing was lost.")],
];

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
  const frames = [1, 2, 3].map((number) =>
    exchange({
      client: `10.70.0.${number}`,
      clientPort: 46_000,
      server: `198.51.100.${number}`,
      serverPort: 443,
      name: `host${number}.example`,
      sent: 10,
      received: 1000 * number,
    }),
  );
  await play(stage.lab, frames.flat(), 5000);
  await stage.settle();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** Goes round the page by Tab alone; the names of the stops. */
async function walk(page: Page): Promise<string[]> {
  const names: string[] = [];
  for (let step = 0; step < MOST_STEPS; step++) {
    await page.keyboard.press("Tab");
    const focused: { name: string; isSeen: boolean } | null = await page.evaluate(FOCUSED);
    if (focused === null) return names;
    expect(focused).toMatchObject({ isSeen: true });
    names.push(focused.name);
  }
  throw new Error(`no way out: ${names.join(", ")}`);
}

test("Tab comes to everything on each screen, seen at each stop, and out again", async () => {
  await stage.visit("", async (page) => {
    await page.getByRole("link", { name: /counted/ }).waitFor();
    for (const [index, [name, ready]] of SCREENS.entries()) {
      // A click would have the walk begin there, not at the head of the page.
      await page.keyboard.press(String(index + 1));
      await ready(page).waitFor();
      // The screen stands still while one walks.
      if (name === "Connections") await page.keyboard.press("p");
      await page.evaluate(FORGET);
      const stops = await walk(page);
      expect(stops.length).toBeGreaterThan(9);
      expect({ name, missed: await page.evaluate(MISSED) }).toEqual({ name, missed: [] });
    }
  });
});

test("keys lead to each screen, to the filter, to help and back", async () => {
  await stage.visit("", async (page) => {
    await page.getByRole("heading", { name: "Traffic over time" }).waitFor();
    const screens = ["Overview", "Connections", "Names", "DNS", "Health"];
    for (const [index, name] of screens.entries()) {
      await page.keyboard.press(String(index + 1));
      await page.getByRole("tab", { name, selected: true }).waitFor();
      expect(await page.title()).toBe(`${name} – AyaFlow`);
    }
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys and filters" });
    await help.waitFor();
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await page.getByRole("tab", { name: "Health" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.getByRole("tab", { name: "Overview", selected: true }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("tab", { name: "Health", selected: true }).and(page.locator(":focus")).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("client 10.70.0.2");
    await page.keyboard.press("Enter");
    expect(new URL(page.url()).searchParams.get("q")).toBe("client 10.70.0.2");
    // First the filter is cleared, then left.
    await page.keyboard.press("Escape");
    expect(new URL(page.url()).searchParams.get("q")).toBeNull();
    await page.keyboard.press("Escape");
    await page.keyboard.press("2");
    await page.getByRole("tab", { name: "Connections", selected: true }).waitFor();
  });
});

test("a digit typed into the filter is text, not a key", async () => {
  await stage.visit("", async (page) => {
    await page.getByRole("heading", { name: "Traffic over time" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("port 443");
    expect(await page.getByRole("combobox", { name: "Filter" }).inputValue()).toBe("port 443");
    await page.getByRole("tab", { name: "Overview", selected: true }).waitFor();
  });
});

/** Three keys in the filter box, of which the page has made its state anew before the next but drawn no frame. */
const FAST_KEYS = `(async () => {
  const input = document.activeElement;
  for (const key of ["Enter", "Escape", "Escape"]) {
    input.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = resolve;
      port2.postMessage(null);
    });
  }
  return { text: input.value, hasFocus: document.activeElement === input };
})()`;

test("keys that come faster than the screen is drawn mean what they mean", async () => {
  await stage.visit("", async (page) => {
    await page.getByRole("heading", { name: "Traffic over time" }).waitFor();
    await page.getByRole("combobox", { name: "Filter" }).fill("client 10.70.0.2");
    expect(await page.evaluate<unknown>(FAST_KEYS)).toEqual({ text: "", hasFocus: false });
    expect(new URL(page.url()).searchParams.get("q")).toBeNull();
  });
});
