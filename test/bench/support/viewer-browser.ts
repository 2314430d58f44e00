/** A real browser that looks at the agent's page, and what it takes to do so. */
import { type Browser, type CDPSession, chromium } from "playwright-core";
import { CHROMIUM, CHROMIUM_ARGS } from "../../support/browser.ts";

const [WIDTH, HEIGHT] = [1280, 800];
const TIMEOUT_MS = 20_000;

/** What must not grow in a page that is left open. */
export interface PageUse {
  /** Bytes of JavaScript objects, after a collection. */
  heap: number;
  nodes: number;
  listeners: number;
}

/** One page, open until it is closed. */
export class Viewer implements AsyncDisposable {
  private constructor(
    private readonly browser: Browser,
    private readonly devTools: CDPSession,
    /** What the page wrote to its console as an error, or threw. */
    readonly errors: readonly string[],
  ) {}

  /** Opens `url` and waits until `text` is to be seen. @throws when it does not come. */
  static async open(url: string, text: string | RegExp): Promise<Viewer> {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });
    const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
    const errors: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(url);
    await page.getByText(text).first().waitFor({ timeout: TIMEOUT_MS });
    const devTools = await page.context().newCDPSession(page);
    await devTools.send("Performance.enable");
    return new Viewer(browser, devTools, errors);
  }

  /** What the page holds now that garbage was collected. */
  async use(): Promise<PageUse> {
    await this.devTools.send("HeapProfiler.collectGarbage");
    const { metrics } = await this.devTools.send("Performance.getMetrics");
    const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
    return { heap: value("JSHeapUsedSize"), nodes: value("Nodes"), listeners: value("JSEventListeners") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
  }
}
