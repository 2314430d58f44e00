/** Static checks: `npm run check`. Each counts as one test. */
import { passThrough } from "./support/command.ts";
import { type Counts, formatCounts, NONE, sum } from "./support/junit.ts";

const CHECKS: { name: string; command: string[] }[] = [
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "types of the page", command: ["tsc", "-p", "src/page"] },
  { name: "lint", command: ["oxlint", "--type-aware", "--deny-warnings"] },
  { name: "format", command: ["biome", "format", "."] },
  { name: "generated layout", command: ["bun", "build.ts", "--check-layout"] },
];

/** Runs every check, also after one failed. */
export async function runChecks(): Promise<Counts> {
  let counts = NONE;
  for (const { name, command } of CHECKS) {
    const passed = (await passThrough(command)) === 0;
    console.log(`${passed ? "(pass)" : "(fail)"} ${name}`);
    counts = sum(counts, { ...NONE, [passed ? "passed" : "failed"]: 1 });
  }
  return counts;
}

if (import.meta.main) {
  const counts = await runChecks();
  console.log(formatCounts(counts));
  process.exit(counts.failed === 0 ? 0 : 1);
}
