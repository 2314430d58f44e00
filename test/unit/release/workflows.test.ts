import { describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../../package.json" with { type: "json" };
import { releaseFiles } from "../../../build/release.ts";
import { ROOT } from "../../support/command.ts";

interface Step {
  uses?: string;
  run?: string;
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, { steps: Step[]; permissions?: Record<string, string> }>;
}

const FOLDER = join(ROOT, ".github", "workflows");
const files = [...new Bun.Glob("*.yml").scanSync({ cwd: FOLDER })].sort();
const workflows = await Promise.all(
  files.map(
    async (name) => [name, Bun.YAML.parse(await Bun.file(join(FOLDER, name)).text()) as Workflow] as const,
  ),
);

async function shellcheck(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ayaflow-workflow-"));
  try {
    const path = join(folder, "step.sh");
    await writeFile(path, script);
    const result = Bun.spawnSync(["shellcheck", "--shell=bash", "--severity=style", path]);
    return result.stdout.toString() + result.stderr.toString();
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.each(workflows)("%s", (_, workflow) => {
  const jobs = Object.values(workflow.jobs);
  const steps = jobs.flatMap((job) => job.steps);

  test("may only read unless a job says otherwise", () => {
    expect(workflow.permissions).toEqual({ contents: "read" });
  });

  test("every action has a version", () => {
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
  });

  test("every script passes shellcheck", async () => {
    const scripts = steps.flatMap(({ run }) =>
      run === undefined ? [] : [run.replaceAll(/\$\{\{[^}]*\}\}/g, "value")],
    );
    expect(scripts.length).toBeGreaterThan(0);
    expect(await shellcheck(`set -e\n${scripts.map((script) => `(\n${script}\n)`).join("\n")}`)).toBe("");
  });

  test("every npm script it runs is there", () => {
    const names = steps.flatMap(({ run }) =>
      [...(run ?? "").matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? ""),
    );
    for (const name of names) expect(Object.keys(manifest.scripts)).toContain(name);
  });
});

test("the release workflow hands on every file of a release", async () => {
  const text = await Bun.file(join(FOLDER, "release.yml")).text();
  for (const name of [...releaseFiles(manifest.version), "SHA256SUMS"]) {
    expect(text).toContain(name.endsWith(".deb") ? "dist/*.deb" : `dist/${name}`);
  }
});
