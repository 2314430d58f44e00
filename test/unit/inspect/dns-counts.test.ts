import { expect, test } from "bun:test";
import { DnsCounts, RCODE_LABELS } from "../../../src/inspect/dns-counts.ts";

test("labels are the codes of IANA from 0 to 10, BADVERS and other", () => {
  expect(RCODE_LABELS).toEqual([
    "NOERROR",
    "FORMERR",
    "SERVFAIL",
    "NXDOMAIN",
    "NOTIMP",
    "REFUSED",
    "YXDOMAIN",
    "YXRRSET",
    "NXRRSET",
    "NOTAUTH",
    "NOTZONE",
    "BADVERS",
    "other",
  ]);
});

test("answers are counted by their code, what nobody answered is not", () => {
  const counts = new DnsCounts();
  for (const rcode of ["NOERROR", "NOERROR", "BADVERS", "BADCOOKIE", "RCODE3841", "DSOTYPENI", null]) {
    counts.add({ rcode });
  }
  const found = Object.fromEntries(RCODE_LABELS.map((label) => [label, counts.answered(label)]));
  expect(found).toMatchObject({ NOERROR: 2, BADVERS: 1, other: 3, NXDOMAIN: 0 });
  expect(Object.values(found).reduce((sum, count) => sum + count, 0)).toBe(6);
  expect(counts.answered("RCODE3841")).toBe(0);
});
