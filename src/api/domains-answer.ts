import type { DomainTotals } from "../history/types.ts";
import type { DomainsAsked } from "./names-query.ts";
import { ApiError } from "./errors.ts";
import { MAX_DOMAIN_SUMS, RETRY_SOON } from "./limits.ts";
import { domainsView } from "./views.ts";
import type { HistoryView } from "./types.ts";

/** The registered domain of a name by the Public Suffix List (its ICANN part); the name where there is none. */
async function createFold(): Promise<(domain: string) => string> {
  // Loaded when first asked for: most agents never are, and the list costs megabytes.
  const { getDomain } = await import("tldts");
  // Names were read off the wire: they are host names already, and not always valid ones.
  const options = { extractHostname: false, validateHostname: false };
  return (domain) => getDomain(domain, options) ?? domain;
}

/**
 * Makes the answers of `/api/domains`. Few sums run at once, further are refused with ApiError 503.
 * Rejects with what history throws.
 */
export function createDomainsResponder(): (
  history: HistoryView,
  asked: DomainsAsked,
  signal?: AbortSignal,
) => Promise<Response> {
  let running = 0;
  const sum = async (
    history: HistoryView,
    { query, isFolded }: DomainsAsked,
    signal: AbortSignal | undefined,
  ): Promise<DomainTotals> =>
    history.domains({
      ...query,
      ...(isFolded ? { fold: await createFold() } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
  return async (history, asked, signal) => {
    if (running >= MAX_DOMAIN_SUMS) {
      throw new ApiError(
        503,
        "overloaded",
        `${MAX_DOMAIN_SUMS} sums by domain are being made; try again in a moment`,
        { headers: RETRY_SOON },
      );
    }
    running += 1;
    try {
      return Response.json(domainsView(asked.query, await sum(history, asked, signal)));
    } finally {
      running -= 1;
    }
  };
}
