/**
 * What tells the registered domain of a name by the Public Suffix List (its ICANN part), example.co.uk for
 * www.example.co.uk; the name itself where there is none.
 */
export async function loadRegisteredDomains(): Promise<(domain: string) => string> {
  // Loaded when first asked for: most agents never are, and the list costs megabytes.
  const { getDomain } = await import("tldts");
  // Names were read off the wire: they are host names already, and not always valid ones.
  const options = { extractHostname: false, validateHostname: false };
  return (domain) => getDomain(domain, options) ?? domain;
}
