/** axe-core, run inside a page. Playwright evaluates by way of the debugger, which no policy of the page's holds up. */
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const SOURCE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const RUN = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ html, any }) => html.slice(0, 160) + " " + (any[0]?.message ?? "")) })))`;

export interface Violation {
  id: string;
  impact: "minor" | "moderate" | "serious" | "critical";
  where: string[];
}

/** Makes `violations` possible until the page is loaded anew. */
export async function loadAxe(page: Page): Promise<void> {
  await page.evaluate(await Bun.file(SOURCE).text());
}

/** What axe-core finds wrong with the page as it is now. */
export async function violations(page: Page): Promise<Violation[]> {
  return await page.evaluate(RUN);
}
