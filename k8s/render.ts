/**
 * Writes what is made from other files: `bun k8s/render.ts`.
 * daemonset.yaml is the base as one file, for who has no kustomize; the operator's rules are those of monitoring/.
 */
import { join } from "node:path";

const HERE = import.meta.dir;
const RULES = join(HERE, "..", "monitoring", "prometheus", "ayaflow.rules.yml");
export const BASE_ORDER = [
  "namespace",
  "priorityclass",
  "serviceaccount",
  "configmap",
  "daemonset",
  "service",
  "networkpolicy",
] as const;

const RULE_HEAD = `# Made by k8s/render.ts from monitoring/prometheus/ayaflow.rules.yml.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ayaflow
  namespace: ayaflow
  labels:
    app.kubernetes.io/name: ayaflow
spec:
`;

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

/** The text of each file that is made, by its path below k8s/. */
export async function render(): Promise<Map<string, string>> {
  const base = await Promise.all(
    BASE_ORDER.map((name) => Bun.file(join(HERE, "base", `${name}.yaml`)).text()),
  );
  return new Map([
    ["daemonset.yaml", `# Made by k8s/render.ts from base/.\n${base.join("---\n")}`],
    ["overlays/prometheus-operator/prometheusrule.yaml", RULE_HEAD + indented(await Bun.file(RULES).text())],
  ]);
}

if (import.meta.main) {
  for (const [path, text] of await render()) await Bun.write(join(HERE, path), text);
}
