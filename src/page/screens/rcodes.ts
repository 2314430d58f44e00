// RFC 1035 section 4.1.1 and RFC 6895 section 2.3.
const WORDS: ReadonlyMap<string | null, string> = new Map([
  [null, "nobody answered"],
  ["NOERROR", "answered"],
  ["NXDOMAIN", "there is no such name"],
  ["SERVFAIL", "the server failed"],
  ["REFUSED", "the server refused"],
  ["FORMERR", "the server did not understand"],
  ["NOTIMP", "the server cannot do that"],
]);

/** What a response code of DNS means; '' where there is nothing to add. */
export function rcodeWords(rcode: string | null): string {
  return WORDS.get(rcode) ?? "";
}
