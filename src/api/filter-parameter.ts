import * as z from "zod";
import { FilterError } from "../filter/errors.ts";
import { parseFilter } from "../filter/parse.ts";

/** A filter as its expression, null where it is blank; a misread one is a problem that tells the character. */
export const filter = z
  .string()
  .transform((text, context) => {
    try {
      return parseFilter(text);
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      const { at, length, message } = error;
      context.issues.push({ code: "custom", message, input: text, params: { at, length } });
      return z.NEVER;
    }
  })
  .meta({
    type: "string",
    description:
      "Filter, and-ed with the other parameters: host, net, port, proto, iface, dir, domain, source, alpn, ja4, " +
      "state, bytes, packets, rtt, retrans, with and, or, not and brackets",
    examples: ["host 10.0.0.0/8 and (port 443 or proto udp) and domain *.github.com and not iface lo"],
  });
