/** The oldest kernel that is supported and the newest that there is, in guests that run side by side. */
import { expect, test } from "bun:test";
import { buildExecutables } from "./support/executables.ts";
import { runKernel } from "./support/guest.ts";
import { KERNELS } from "./support/kernels.ts";

const TIMEOUT_MS = 15 * 60_000;
const TESTED = ["5.10", "sid"];
/** Every guest gets as far as the last of its checks. */
const LAST_CHECK = "names";

const choices = KERNELS.filter(({ name, architecture }) => TESTED.includes(name) && architecture === "x64");
const prepared = buildExecutables(choices);

for (const choice of choices) {
  const running = prepared.then(() => runKernel(choice, "core"));
  // Looked at by its test; until then a failure is nobody's.
  running.catch(() => undefined);
  test(
    `Linux ${choice.name} in a guest, ${choice.method}`,
    async () => {
      const { problem, outcomes, kernel, seconds } = await running;
      expect(problem).toBeNull();
      expect(outcomes.filter(({ status }) => status === "fail")).toEqual([]);
      expect(outcomes.at(-1)?.check).toBe(LAST_CHECK);
      console.log(`${kernel.release}: ${outcomes.length} checks in ${seconds.toFixed(0)} s`);
    },
    TIMEOUT_MS,
  );
}
