import * as z from "zod";
import { suggest } from "../config/suggest.ts";
import { canonicalDomainPattern } from "../flow/domain-pattern.ts";
import { parseProtocol } from "../flow/protocol.ts";
import { canonicalNetwork } from "./addresses.ts";
import { DURATION_FORMS, parseDuration, parseTime, TIME_FORMS } from "./time.ts";

/** A parameter: text in, a value out, or a problem that quotes the text and says what is allowed. */
export function parameter<T>(
  allowed: string,
  parse: (text: string) => T | undefined,
  schema: z.GlobalMeta & Record<string, unknown>,
) {
  return z
    .string()
    .transform((text, context) => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.issues.push({ code: "custom", message: `"${text}" is not ${allowed}`, input: text });
      return z.NEVER;
    })
    .meta(schema);
}

/** A whole number within bounds, both inclusive. */
export function integer(minimum: number, maximum: number, description: string) {
  return parameter(
    `a whole number from ${minimum} to ${maximum}`,
    (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
      return value >= minimum && value <= maximum ? value : undefined;
    },
    { type: "integer", minimum, maximum, description },
  );
}

/** One word of a fixed set. */
export function oneOf<const T extends readonly string[]>(values: T, description: string) {
  const find = (text: string): T[number] | undefined => values.find((value) => value === text);
  return parameter(`one of ${values.join(", ")}`, find, { type: "string", enum: [...values], description });
}

/** A comma list of words of a fixed set; one that is there twice counts once. */
export function listOf<const T extends readonly string[]>(values: T, description: string) {
  const isKnown = (word: string): word is T[number] => values.includes(word);
  return z
    .string()
    .transform((text, context) => {
      const words = text.split(",").map((part) => part.trim());
      const known = words.filter(isKnown);
      if (known.length === words.length) return [...new Set(known)];
      const unknown = words.find((word) => !isKnown(word)) ?? "";
      const guess = suggest(unknown, values);
      const hint = guess === undefined ? "" : `; did you mean ${guess}?`;
      const message = `"${unknown}" is not one of ${values.join(", ")}${hint}`;
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    })
    .meta({ type: "string", description: `${description}: a comma list of ${values.join(", ")}` });
}

/** Text that fits a pattern; `allowed` says in words which. */
export function matching(pattern: RegExp, allowed: string, description: string) {
  return parameter(allowed, (text) => (pattern.test(text) ? text : undefined), {
    type: "string",
    description,
  });
}

/** An address or CIDR, in canonical text. */
export const address = (description: string) =>
  parameter("an IPv4 or IPv6 address, or a CIDR such as 10.0.0.0/8", canonicalNetwork, {
    type: "string",
    description: `${description}: an address or a CIDR`,
  });

/** A port number. */
export const port = (description: string) => integer(0, 65535, description);

/** An IP protocol, as its number. */
export const protocol = parameter(
  "a protocol name (TCP, UDP, ICMP, ICMPv6, SCTP, ...) or number from 0 to 255",
  (text) => parseProtocol(text) ?? undefined,
  {
    type: "string",
    description: "IP protocol: IANA name in any case, or number",
    examples: ["tcp"],
  },
);

/** The name of an interface, there or not. */
export const networkInterface = matching(
  /^[^\s/]{1,15}$/,
  "an interface name (1 to 15 characters)",
  "Name of a network interface",
);

/** A time, in milliseconds since the epoch; relative ones count from `nowMs`. */
export const time = (nowMs: number, description: string) =>
  parameter(`a time: ${TIME_FORMS}`, (text) => parseTime(text, nowMs), {
    type: "string",
    description: `${description}: ${TIME_FORMS}`,
  });

/** A length of time of a second at least, in milliseconds. */
export const duration = (description: string) =>
  parameter(`a length of time: ${DURATION_FORMS}`, parseDuration, {
    type: "string",
    description: `${description}: ${DURATION_FORMS}`,
    examples: ["60"],
  });

/** A domain pattern in canonical text, as domainMatcher of flow takes it. */
export const domainPattern = (description: string) =>
  parameter("a domain name, or one after *. for it and all below it", canonicalDomainPattern, {
    type: "string",
    description: `${description}; *.example.com is example.com and all below it`,
    examples: ["*.example.com"],
  });

/** A cursor as it was answered; whether it is one, its maker tells. */
export const cursor = (description: string) =>
  matching(/^[\w.~:+/=-]{1,512}$/, "a cursor: pass next_cursor as it was answered", description);
