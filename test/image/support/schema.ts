/** Strict validation against the OpenAPI schemas of Kubernetes and of the Prometheus operator. */
import { join } from "node:path";
import { ROOT } from "../../support/command.ts";
import { isManifest, type Manifest, textOf } from "./manifests.ts";

interface Issue {
  instancePath: string;
  message?: string;
  keyword: string;
  params: Record<string, unknown>;
}

interface Validate {
  (value: unknown): boolean;
  errors?: Issue[] | null;
}

const SCHEMAS = join(ROOT, "dist", "tools", "npm", "node_modules");
const CORE = "kubernetes-models/_schemas/IoK8sApi";
const OPERATOR =
  "@kubernetes-models/prometheus-operator/_schemas/ComGithubPrometheusOperatorPrometheusOperatorPkgApisMonitoringV1";

/** Schemas, compiled by ajv, by apiVersion and kind. */
const FILES: Readonly<Record<string, string>> = {
  "v1 Namespace": `${CORE}CoreV1Namespace`,
  "v1 ServiceAccount": `${CORE}CoreV1ServiceAccount`,
  "v1 ConfigMap": `${CORE}CoreV1ConfigMap`,
  "v1 Service": `${CORE}CoreV1Service`,
  "v1 Pod": `${CORE}CoreV1Pod`,
  "apps/v1 DaemonSet": `${CORE}AppsV1DaemonSet`,
  "scheduling.k8s.io/v1 PriorityClass": `${CORE}SchedulingV1PriorityClass`,
  "networking.k8s.io/v1 NetworkPolicy": `${CORE}NetworkingV1NetworkPolicy`,
  "monitoring.coreos.com/v1 PodMonitor": `${OPERATOR}PodMonitor`,
  "monitoring.coreos.com/v1 PrometheusRule": `${OPERATOR}PrometheusRule`,
};

/**
 * A view of `value` that notes each field read. A validator reads those that its schema has (or, of a map, all), so what
 * is left unread is a field that the schema does not know, which the API server prunes or refuses.
 */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const inner = new Map<string, unknown>();
  for (const [key, field] of Object.entries(value)) {
    const place = `${path}/${key}`;
    if (!Array.isArray(value)) unread.add(place);
    inner.set(key, watched(field, place, unread));
  }
  return new Proxy(value, {
    get(target, key) {
      if (typeof key === "string") unread.delete(`${path}/${key}`);
      return typeof key === "string" && inner.has(key) ? inner.get(key) : Reflect.get(target, key);
    },
  });
}

/** Below a field that is unknown nothing was read: only the field itself is said. */
function outermost(places: ReadonlySet<string>): string[] {
  return [...places].filter((place) => !places.has(place.slice(0, place.lastIndexOf("/"))));
}

/** Everything wrong with a manifest; a field that the schema does not have is. @throws Error for a kind that is not known. */
export async function problems(manifest: Manifest): Promise<string[]> {
  const kind = `${textOf(manifest.apiVersion)} ${textOf(manifest.kind)}`;
  const file = FILES[kind];
  if (file === undefined) throw new Error(`no schema for ${kind}`);
  const loaded: unknown = await import(join(SCHEMAS, `${file}.js`));
  const { validate } = loaded as { validate: Validate };
  const unread = new Set<string>();
  const isValid = validate(watched(manifest, "", unread));
  const issues = isValid ? [] : (validate.errors ?? []);
  return [
    ...issues.map((one) => `${one.instancePath}: ${one.keyword} ${JSON.stringify(one.params)}`),
    ...outermost(unread).map((place) => `${place}: unknown field`),
  ];
}

/** Changes a copy of a manifest. */
export function changed(manifest: Manifest, change: (copy: Manifest) => void): Manifest {
  const copy: unknown = structuredClone(manifest);
  if (!isManifest(copy)) throw new Error("no manifest");
  change(copy);
  return copy;
}
