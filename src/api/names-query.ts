import * as z from "zod";
import { DOMAIN_SOURCES } from "../flow/naming.ts";
import { DOMAIN_ORDERS, type DomainQuery } from "../history/types.ts";
import type { LookupQuery } from "../inspect/recent-lookups.ts";
import { address, domainPattern, integer, matching, networkInterface, oneOf, time } from "./parameters.ts";
import { parseQuery, present } from "./query-string.ts";
import { rangeOf } from "./sums-query.ts";

const MAX_LIMIT = 1000;
const UNANSWERED = "none";

/** Parameters of `/api/domains`; relative times count from `nowMs`. */
export function domainsQuerySchema(nowMs: number) {
  return z.strictObject({
    limit: integer(1, MAX_LIMIT, "Domains to answer at most").default(50),
    order: oneOf(DOMAIN_ORDERS, "Order, largest first").default("bytes"),
    fold: oneOf(
      ["registered"],
      "registered: count a domain under the one that was registered, example.co.uk for www.example.co.uk",
    ).exactOptional(),
    since: time(nowMs, "Not before; an hour before until if absent").exactOptional(),
    until: time(nowMs, "Before it; now if absent").exactOptional(),
    interface: networkInterface.exactOptional(),
    source: oneOf(DOMAIN_SOURCES, "Only traffic whose domain came from there").exactOptional(),
  });
}

/** The domain query of a query string; throws ApiError 400. `nowMs` is what relative times count from. */
export function parseDomainsQuery(text: string, nowMs: number): DomainQuery {
  const { fold, since, until, ...given } = parseQuery(domainsQuerySchema(nowMs), text);
  return { ...given, ...rangeOf(since, until, nowMs), isFolded: fold !== undefined };
}

const word = (allowed: string, description: string) => matching(/^[A-Za-z0-9-]{1,32}$/, allowed, description);

/** Parameters of `/api/dns`. */
export const dnsQuerySchema = z.strictObject({
  limit: integer(1, MAX_LIMIT, "Lookups to answer at most").default(100),
  name: domainPattern("Name asked for").exactOptional(),
  type: word("a record type such as AAAA or TYPE65280", "Record type asked for").exactOptional(),
  rcode: word(
    `a response code such as NXDOMAIN, or ${UNANSWERED}`,
    `Response code; ${UNANSWERED} for lookups that nobody answered`,
  ).exactOptional(),
  ip: address("Client or server").exactOptional(),
});

/** The lookups of a query string; throws ApiError 400. */
export function parseDnsQuery(text: string): LookupQuery {
  const { type, rcode, ...given } = parseQuery(dnsQuerySchema, text);
  const isUnanswered = rcode?.toLowerCase() === UNANSWERED;
  return {
    ...given,
    ...present({ type: type?.toUpperCase(), rcode: isUnanswered ? null : rcode?.toUpperCase() }),
  };
}
