import { expect, test } from "bun:test";
import { rcodeName, typeName } from "../../../src/inspect/dns-types.ts";

test.each([
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [15, "MX"],
  [16, "TXT"],
  [22, "NSAP"],
  [23, "NSAP-PTR"],
  [28, "AAAA"],
  [33, "SRV"],
  [35, "NAPTR"],
  [39, "DNAME"],
  [41, "OPT"],
  [43, "DS"],
  [46, "RRSIG"],
  [48, "DNSKEY"],
  [50, "NSEC3"],
  [52, "TLSA"],
  [53, "SMIMEA"],
  [55, "HIP"],
  [61, "OPENPGPKEY"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [99, "SPF"],
  [109, "EUI64"],
  [249, "TKEY"],
  [250, "TSIG"],
  [251, "IXFR"],
  [252, "AXFR"],
  [255, "ANY"],
  [256, "URI"],
  [257, "CAA"],
  [32769, "DLV"],
  [54, "TYPE54"],
  [0, "TYPE0"],
  [65280, "TYPE65280"],
])("type %p is %s", (type, name) => {
  expect(typeName(type)).toBe(name);
});

test.each([
  [0, "NOERROR"],
  [1, "FORMERR"],
  [2, "SERVFAIL"],
  [3, "NXDOMAIN"],
  [4, "NOTIMP"],
  [5, "REFUSED"],
  [10, "NOTZONE"],
  [11, "DSOTYPENI"],
  [16, "BADVERS"],
  [23, "BADCOOKIE"],
  [12, "RCODE12"],
  [3841, "RCODE3841"],
])("response code %p is %s", (rcode, name) => {
  expect(rcodeName(rcode)).toBe(name);
});
