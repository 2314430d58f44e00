/** A real browser in the client's namespace. */
import type { Lab } from "./lab.ts";
import { withResolver } from "./name-servers.ts";
import { nextNumber } from "./namespace.ts";

const OPTIONS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-extensions",
];
const TIMEOUT_MS = 40_000;

/**
 * Loads a page from the client's end, with the server's end as name server, and gives the page as it then is.
 * `spki` is the certificate to trust; `args` are further options.
 */
export async function browse(
  lab: Lab,
  url: string,
  spki: string,
  args: readonly string[] = [],
): Promise<string> {
  const folder = lab.path(`chromium-${nextNumber()}`);
  const own = [`--user-data-dir=${folder}`, `--ignore-certificate-errors-spki-list=${spki}`];
  const command = ["chromium", ...OPTIONS, ...own, ...args, "--dump-dom", url];
  const { stdout } = await lab.client.exec(await withResolver(lab, command), {
    timeoutMs: TIMEOUT_MS,
    env: { HOME: folder },
  });
  return stdout;
}
