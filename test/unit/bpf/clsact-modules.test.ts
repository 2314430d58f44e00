import { expect, test } from "bun:test";
import { absentModules } from "../../../src/bpf/clsact-modules.ts";

const INGRESS = "0000000000000000 t clsact_init\t[sch_ingress]";
const CLASSIFIER = "0000000000000000 t cls_bpf_classify\t[cls_bpf]";

test("modules are known by their functions, built in or loaded", () => {
  expect(absentModules("")).toEqual(["sch_ingress", "cls_bpf"]);
  expect(absentModules(`${INGRESS}\n${CLASSIFIER}\n`)).toEqual([]);
  expect(absentModules(`${INGRESS}\n`)).toEqual(["cls_bpf"]);
  expect(absentModules(`ffffffff81000000 t xclsact_initial\n${CLASSIFIER.split("\t")[0]}\n`)).toEqual([
    "sch_ingress",
  ]);
});
