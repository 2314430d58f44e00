/** A lab with the executable in it and a real browser in front of its page. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { type AgentOptions, type RunningAgent, startAgent } from "../../lab/support/agent.ts";
import { createLab, type Lab } from "../../lab/support/lab.ts";
import { openRelay } from "../../lab/support/relay.ts";
import { waitFor } from "../../lab/support/wait.ts";
import type { StatsAnswer, TopAnswer } from "../../../src/page/data/answers.ts";
import { CHROMIUM, CHROMIUM_ARGS } from "../../support/browser.ts";
import type { HistoryRow } from "../../support/history-rows.ts";
import { writePast } from "./past.ts";

const AGENT_PORT = 3000;
const SECOND_MS = 1000;
const TIMEOUT_MS = 10_000;
const [WIDTH, HEIGHT] = [1280, 800];
const TELL_VIOLATIONS = `addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error("policy violated: " + violatedDirective + " " + blockedURI))`;
/** What holds still while tests look at it: no connection is retired, rows of history are soon there. */
const ARGS = ["--deep-inspect", "--connection-timeout", "900", "--aggregation-window", "1"];

export interface StageOptions extends Pick<AgentOptions, "args" | "env"> {
  /** What history already has when the agent starts. */
  past?: readonly HistoryRow[];
}

export interface VisitOptions extends BrowserContextOptions {
  /** Errors in the console that are part of the test. */
  tolerated?: RegExp;
}

/** Opened once for the tests of a file. */
export interface Stage extends AsyncDisposable {
  lab: Lab;
  /** The agent that runs now, at the server's end of the lab. */
  agent: RunningAgent;
  /** Reaches it, and the one that is started after it. */
  url: string;
  browser: Browser;
  /** Stops the agent. */
  stopAgent(): Promise<void>;
  /** Starts it again on its database. */
  startAgent(): Promise<void>;
  /** Resolves when history has all packets that the agent has counted on a connection since it was first started. */
  settle(): Promise<void>;
  /**
   * Opens the page in a browser that knows nothing of earlier ones and plays through a scene.
   * @throws also when the page wrote an error to its console, threw, broke its own policy or asked anyone but the agent.
   */
  visit(place: string, play: (page: Page) => Promise<void>, options?: VisitOptions): Promise<void>;
}

/** Notes whatever a page does that it never should. */
function watchPage(page: Page, origin: string, tolerated?: RegExp): string[] {
  const problems: string[] = [];
  page.on("console", (message) => {
    const isTold = ["error", "warning"].includes(message.type());
    if (isTold && tolerated?.test(message.text()) !== true) problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`thrown: ${error.stack ?? error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== "data:") problems.push(`request to ${url.href}`);
  });
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => undefined);
  });
  return problems;
}

/** Plays one scene in a browser's window of its own, as `Stage.visit` says. */
export async function visit(
  browser: Browser,
  url: string,
  play: (page: Page) => Promise<void>,
  { tolerated, ...options }: VisitOptions = {},
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: WIDTH, height: HEIGHT },
    timezoneId: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...options,
  });
  try {
    context.setDefaultTimeout(TIMEOUT_MS);
    const page = await context.newPage();
    const problems = watchPage(page, new URL(url).origin, tolerated);
    await page.addInitScript(TELL_VIOLATIONS);
    await page.goto(url);
    await play(page);
    if (problems.length > 0) throw new Error(problems.join("\n"));
  } finally {
    await context.close();
  }
}

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS });
}

/** `await using stage = await openStage()`; takes a second or two. */
export async function openStage({ past = [], args = [], env = {} }: StageOptions = {}): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(await createLab());
  const dbPath = lab.path("traffic.db");
  if (past.length > 0) await writePast(dbPath, past);
  const start = () => startAgent(lab.server, lab.folder, { args: [...ARGS, ...args], env, dbPath });
  const browser = await openBrowser();
  stack.defer(() => browser.close());
  // A row has the time of the second that it begins in.
  const since = new Date(Math.floor(Date.now() / SECOND_MS) * SECOND_MS).toISOString();
  let agent = await start();
  stack.defer(async () => {
    await agent.stop();
  });
  const { url } = stack.use(await openRelay(lab.server.namespace, AGENT_PORT, lab.path("page.sock")));
  const owned = stack.move();
  return {
    lab,
    get agent() {
      return agent;
    },
    url,
    browser,
    stopAgent: async () => {
      await agent.stop();
    },
    startAgent: async () => {
      agent = await start();
    },
    settle: async () => {
      const isStored = async () => {
        const { attributed_packets } = await agent.get<StatsAnswer>("/api/stats");
        const { total } = await agent.get<TopAnswer>(`/api/top?by=protocol&since=${since}`);
        return attributed_packets > 0 && total.packets === attributed_packets;
      };
      await waitFor(isStored, "history has not all that was counted");
    },
    visit: (place, play, options) => visit(browser, `${url}/${place}`, play, options),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
