/**
 * Boots guests with the kernels that people have and runs the checks in them: `npm run test:kernels`, or with names of
 * kernels and architectures for some of them: `npm run test:kernels -- 6.1 arm64`. `--fresh` gets the packages anew.
 * Prints a matrix; exit code 0 only if all of it is green.
 */
import { buildExecutables } from "./support/executables.ts";
import { type GuestResult, runKernel } from "./support/guest.ts";
import { forgetKernels, type KernelChoice, KERNELS } from "./support/kernels.ts";
import { formatDetails, formatMatrix, formatProblems, isGreen } from "./support/matrix.ts";

const FRESH = "--fresh";

/** Kernels that every word fits: a name or an architecture. */
function chosen(words: readonly string[]): KernelChoice[] {
  const known = new Set(KERNELS.flatMap(({ name, architecture }) => [name, architecture]));
  const unknown = words.filter((word) => !known.has(word));
  if (unknown.length > 0) {
    console.error(
      `no such kernel or architecture: ${unknown.join(", ")}; there are: ${[...known].join(", ")}`,
    );
    process.exit(2);
  }
  const names = words.filter((word) => KERNELS.some(({ name }) => name === word));
  const architectures = words.filter((word) => !names.includes(word));
  return KERNELS.filter(
    ({ name, architecture }) =>
      (names.length === 0 || names.includes(name)) &&
      (architectures.length === 0 || architectures.includes(architecture)),
  );
}

/** One at a time: a guest's two processors keep a small host busy. */
async function run(choices: readonly KernelChoice[]): Promise<GuestResult[]> {
  const results: GuestResult[] = [];
  for (const choice of choices) {
    const result = await runKernel(choice, "all");
    console.log(`${result.kernel.release} ${result.kernel.architecture}: ${result.seconds.toFixed(0)} s`);
    console.log(formatDetails(result));
    results.push(result);
  }
  return results;
}

const words = process.argv.slice(2);
const choices = chosen(words.filter((word) => word !== FRESH));
if (choices.length === 0) {
  console.error(`no kernel is all of: ${words.join(" ")}`);
  process.exit(2);
}
if (words.includes(FRESH)) await forgetKernels();
await buildExecutables(choices);
const results = await run(choices);
console.log(formatMatrix(results));
console.log(formatProblems(results));
process.exit(results.every(isGreen) ? 0 : 1);
