import type { StatsAnswer } from "../data/answers.ts";
import { Fact } from "../parts/drawer.tsx";
import { formatBytes } from "../text/format.ts";
import { shedWords } from "../text/words.ts";

/** What the agent takes of the host, and what it does not do to keep to its budget. */
export function OwnUseCard({ stats }: { stats: StatsAnswer }) {
  const { restraint, runtime } = stats;
  const cpuBudget = restraint.cpu_budget_percent;
  const memoryBudget = restraint.memory_budget_bytes;
  return (
    <section class="card" aria-label="What the agent uses">
      <h2>What the agent uses</h2>
      <dl class="facts">
        <Fact term="Processor">
          {restraint.cpu_percent.toFixed(1)}% of a core{" "}
          <span class="muted">{cpuBudget === 0 ? "no budget" : `budget ${cpuBudget}%`}</span>
        </Fact>
        <Fact term="Memory">
          {formatBytes(restraint.resident_bytes)}{" "}
          <span class="muted">
            {memoryBudget === 0 ? "no budget" : `budget ${formatBytes(memoryBudget)}`}
          </span>
        </Fact>
        <Fact term="Deep inspection">{runtime.deep_inspect ? "on: names and DNS are read" : "off"}</Fact>
        <Fact term="Reverse lookups">{runtime.resolve_dns ? "on" : "off"}</Fact>
      </dl>
      {restraint.shed.length === 0 ? (
        <p class="muted">Nothing is left undone to keep to a budget.</p>
      ) : (
        <>
          <p>To keep to its budget, for now:</p>
          <ul class="reasons">
            {restraint.shed.map((step) => (
              <li key={step}>{shedWords(step)}</li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
