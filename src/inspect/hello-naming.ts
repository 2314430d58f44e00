import type { ClientHello } from "./client-hello.ts";
import type { NamingUpdate } from "./connection-names.ts";
import { ja4 } from "./ja4.ts";
import { highestVersion, tlsVersionName } from "./tls-version.ts";

/** Application protocols kept of one hello, and characters of each: clients offer two or three short ones. */
const MAX_ALPN = 16;
const MAX_ALPN_LENGTH = 64;

/** What a ClientHello tells of its connection, over TLS or QUIC. */
export function helloNaming(hello: ClientHello, source: "sni" | "quic"): NamingUpdate {
  return {
    ...(hello.serverName === null ? {} : { domain: hello.serverName, domainSource: source }),
    alpn: hello.alpn.filter(({ length }) => length <= MAX_ALPN_LENGTH).slice(0, MAX_ALPN),
    // A hash of part of the hello would be another client's.
    ja4: hello.isCut ? null : ja4(hello, source === "sni" ? "tcp" : "quic"),
    tlsVersion: source === "quic" ? "TLS 1.3" : tlsVersionName(highestVersion(hello)),
    ech: hello.ech,
  };
}
