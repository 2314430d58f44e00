import { expect, test } from "bun:test";
import { loadRegisteredDomains } from "../../../src/flow/registered-domain.ts";

test("the registered domain of a name is by the Public Suffix List, the name itself where there is none", async () => {
  const registered = await loadRegisteredDomains();
  for (const [domain, expected] of [
    ["www.example.co.uk", "example.co.uk"],
    ["a.b.example.org", "example.org"],
    ["_dmarc.example.org", "example.org"],
    ["someone.github.io", "github.io"],
    ["co.uk", "co.uk"],
    ["localhost", "localhost"],
    ["192.0.2.1", "192.0.2.1"],
    ["\\000\\255", "\\000\\255"],
  ] as const) {
    expect([domain, registered(domain)]).toEqual([domain, expected]);
  }
});
