const BEARER = /^bearer +([^\s]+) *$/i;
const SUBPROTOCOL = "bearer";

const digest = (text: string): Uint8Array => new Bun.CryptoHasher("sha256").update(text).digest();

/** A comparison with `secret` whose time tells neither its length nor its text: digests are compared. */
export function createTokenCheck(secret: string): (candidate: string) => boolean {
  const expected = digest(secret);
  return (candidate) => crypto.timingSafeEqual(digest(candidate), expected);
}

/** The token of an `Authorization: Bearer` header (RFC 6750), or undefined. */
export function bearerToken(header: string | null): string | undefined {
  return header === null ? undefined : BEARER.exec(header)?.[1];
}

/**
 * The token a browser offers as `Sec-WebSocket-Protocol: bearer, <token>`, since it cannot set Authorization
 * on a WebSocket and a token in the URL would end up in logs. Undefined if there is none.
 */
export function subprotocolToken(header: string | null): string | undefined {
  const [scheme, token, ...rest] = (header ?? "").split(",").map((part) => part.trim());
  return scheme === SUBPROTOCOL && token !== undefined && token !== "" && rest.length === 0
    ? token
    : undefined;
}

/** The subprotocol to answer with: `bearer` where it was offered, never the token. */
export function acceptedSubprotocol(header: string | null): string | undefined {
  return subprotocolToken(header) === undefined ? undefined : SUBPROTOCOL;
}

/** A token that is not a valid subprotocol name (RFC 9110 token) travels there as base64url of its UTF-8. */
export function decodeSubprotocolToken(token: string): string {
  return Buffer.from(token, "base64url").toString("utf8");
}
