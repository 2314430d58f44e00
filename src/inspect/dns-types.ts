/** Record types that are treated by themselves somewhere. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  OPT: 41,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  ANY: 255,
  CAA: 257,
} as const;

/** Classes of RFC 6895 section 3.2: Internet, Chaos, Hesiod, and `NONE` and `ANY` of RFC 2136. */
export const CLASS_IN = 1;
const CLASSES: ReadonlySet<number> = new Set([CLASS_IN, 3, 4, 254, 255]);

/** Names in the order of their numbers from `first` on; `-` where there is none. */
function numbered(first: number, names: string): [number, string][] {
  return names
    .split(" ")
    .map((name, index): [number, string] => [first + index, name])
    .filter(([, name]) => name !== "-");
}

/** IANA "Resource Record (RR) TYPEs"; 255 is `*` there and `ANY` everywhere else. */
const TYPES: ReadonlyMap<number, string> = new Map([
  ...numbered(1, "A NS MD MF CNAME SOA MB MG MR NULL WKS PTR HINFO MINFO MX TXT RP AFSDB X25 ISDN RT NSAP"),
  ...numbered(23, "NSAP-PTR SIG KEY PX GPOS AAAA LOC NXT EID NIMLOC SRV ATMA NAPTR KX CERT A6 DNAME SINK"),
  ...numbered(41, "OPT APL DS SSHFP IPSECKEY RRSIG NSEC DNSKEY DHCID NSEC3 NSEC3PARAM TLSA SMIMEA - HIP"),
  ...numbered(56, "NINFO RKEY TALINK CDS CDNSKEY OPENPGPKEY CSYNC ZONEMD SVCB HTTPS DSYNC HHIT BRID"),
  ...numbered(99, "SPF UINFO UID GID UNSPEC NID L32 L64 LP EUI48 EUI64"),
  ...numbered(128, "NXNAME"),
  ...numbered(249, "TKEY TSIG IXFR AXFR MAILB MAILA ANY URI CAA AVC DOA AMTRELAY RESINFO WALLET CLA IPN"),
  ...numbered(32768, "TA DLV"),
]);

/** IANA "DNS RCODEs"; 16 is BADVERS in the header and BADSIG in a signature, which is not read here. */
const RCODES: ReadonlyMap<number, string> = new Map([
  ...numbered(0, "NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED YXDOMAIN YXRRSET NXRRSET NOTAUTH NOTZONE"),
  ...numbered(11, "DSOTYPENI"),
  ...numbered(16, "BADVERS BADKEY BADTIME BADMODE BADNAME BADALG BADTRUNC BADCOOKIE"),
]);

/** `AAAA` for 28; `TYPE65280` (RFC 3597 section 5) for a type without a name. */
export function typeName(type: number): string {
  return TYPES.get(type) ?? `TYPE${type}`;
}

/** `NXDOMAIN` for 3; `RCODE3841` for a code without a name. Up to 12 bits, as EDNS makes it (RFC 6891 section 6.1.3). */
export function rcodeName(rcode: number): string {
  return RCODES.get(rcode) ?? `RCODE${rcode}`;
}

/** Whether the type has a name. */
export function isKnownType(type: number): boolean {
  return TYPES.has(type);
}

/** Whether the class is one that is in use. */
export function isKnownClass(value: number): boolean {
  return CLASSES.has(value);
}
