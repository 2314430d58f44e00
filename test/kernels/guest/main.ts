/** The checks of a guest, in the order in which they leave it fit for the next. Run by the executable under test. */
import { readFileSync } from "node:fs";
import { checkDevices } from "./check-devices.ts";
import { checkExact } from "./check-exact.ts";
import { checkNames, checkWithoutBtf } from "./check-names.ts";
import { checkNetem } from "./check-netem.ts";
import { checkWithoutModules, checkWithoutPrivilege } from "./check-refusals.ts";
import { run } from "./programs.ts";

const isShort = process.env.AYAFLOW_CHECKS === "core";
if (!isShort) await checkWithoutModules();
for (const module of readFileSync("/modules/later", "utf8").split("\n").filter(Boolean))
  await run(["insmod", module]);
await checkExact();
await checkNames();
if (!isShort) {
  await checkDevices();
  await checkWithoutPrivilege();
  await checkWithoutBtf();
  await checkNetem();
}
process.exit(0);
