import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { BASE_ORDER, render } from "../../k8s/render.ts";
import packageJson from "../../package.json" with { type: "json" };
import { ROOT } from "../support/command.ts";
import {
  at,
  isManifest,
  K8S,
  kustomizations,
  kustomize,
  listAt,
  type Manifest,
  mapAt,
  ofKind,
  readManifests,
  type Value,
  textOf,
} from "./support/manifests.ts";
import { changed, problems } from "./support/schema.ts";

const VERSION = packageJson.version;
/** Fields whose keys are names of the writer's own. */
const FREE = /\/(labels|matchLabels|nodeSelector|data|requests|limits|selector|annotations)$/;

/** The path of every field that the schema names. */
function fields(value: Value, path = ""): string[] {
  const isFree = FREE.test(path) && path !== "/spec/selector";
  return Object.entries(typeof value === "object" && value !== null ? value : {}).flatMap(([key, inner]) => {
    const place = `${path}/${key}`;
    return [...(Array.isArray(value) || isFree ? [] : [place]), ...fields(inner, place)];
  });
}

/** The manifest with the field at `path` misspelt. */
function misspelt(manifest: Manifest, path: string): Manifest {
  return changed(manifest, (copy) => {
    const keys = path.split("/").slice(1);
    const last = keys.pop() ?? "";
    const parent = mapAt(copy, ...keys);
    parent[`${last}x`] = at(parent, last);
    delete parent[last];
  });
}

const folders = kustomizations();
const workload = async (folder: string) =>
  at(ofKind(await kustomize(folder), "DaemonSet"), "spec", "template", "spec");

describe("against the OpenAPI schemas", () => {
  test.each(folders)("%s: valid, no unknown field", async (folder) => {
    const all = await kustomize(folder);
    expect(all.length).toBeGreaterThan(4);
    for (const manifest of all) expect(await problems(manifest)).toEqual([]);
  });

  test("each field of each manifest, misspelt, is refused", async () => {
    let tried = 0;
    for (const manifest of await kustomize("overlays/prometheus-operator")) {
      for (const path of fields(manifest).filter((place) => !/^\/(apiVersion|kind)$/.test(place))) {
        if (manifest.kind === "Service" && path.startsWith("/spec/selector/")) continue;
        const found = await problems(misspelt(manifest, path));
        expect(found.length === 0 ? path : "").toBe("");
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(200);
  });

  test("a value of the wrong kind is refused", async () => {
    const daemonSet = ofKind(await readManifests("daemonset.yaml"), "DaemonSet");
    const wrong = changed(daemonSet, (copy) => {
      mapAt(copy, "spec", "template", "spec").hostNetwork = "yes";
    });
    expect(await problems(wrong)).toEqual(['/spec/template/spec/hostNetwork: type {"type":"boolean"}']);
  });
});

describe("one source", () => {
  test("what k8s/render.ts makes is up to date", async () => {
    for (const [path, text] of await render()) expect(await Bun.file(join(K8S, path)).text()).toBe(text);
  });
  test("daemonset.yaml is the base", async () => {
    expect(await readManifests("daemonset.yaml")).toEqual(await kustomize("base"));
    const [own = {}] = await readManifests("base/kustomization.yaml");
    expect(listAt(own, "resources")).toEqual(BASE_ORDER.map((name) => `${name}.yaml`));
  });
  test("every file belongs to a kustomization", async () => {
    const named = await Promise.all(
      folders.map(async (folder) => {
        const [own = {}] = await readManifests(join(folder, "kustomization.yaml"));
        return listAt(own, "resources").map((name) => join(folder, textOf(name)));
      }),
    );
    const files = [...new Bun.Glob("{base,overlays}/**/*.yaml").scanSync({ cwd: K8S })];
    const resources = files.filter((file) => !file.endsWith("kustomization.yaml"));
    expect(resources.filter((file) => !named.flat().includes(file))).toEqual([]);
  });
  test("the version is the package's", async () => {
    const pod = await workload("base");
    const images = [...listAt(pod, "initContainers"), ...listAt(pod, "containers")].map((one) =>
      at(one, "image"),
    );
    expect([...new Set(images)]).toEqual([`ghcr.io/ayaflow/ayaflow:${VERSION}`]);
    expect(await Bun.file(join(ROOT, "Dockerfile")).text()).toContain(`\nARG VERSION=${VERSION}\n`);
  });
});

describe("overlays", () => {
  test("the operator's job is called as the alerts expect it", async () => {
    const monitor = ofKind(await kustomize("overlays/prometheus-operator"), "PodMonitor");
    const label = textOf(at(monitor, "spec", "jobLabel"));
    const template = ofKind(await readManifests("daemonset.yaml"), "DaemonSet");
    const job = textOf(at(template, "spec", "template", "metadata", "labels", label));
    const rules = await Bun.file(join(ROOT, "monitoring", "prometheus", "ayaflow.rules.yml")).text();
    const named = [...rules.matchAll(/job="([^"]+)"/g)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set([job]));
  });

  const probes = ["startupProbe", "readinessProbe", "livenessProbe"] as const;

  test("the base listens on the node's loopback, and is probed there", async () => {
    const [container = {}] = listAt(await workload("base"), "containers");
    for (const probe of probes) expect(at(container, probe, "httpGet", "host")).toBe("127.0.0.1");
    const data = textOf(at(ofKind(await kustomize("base"), "ConfigMap"), "data", "ayaflow.yaml"));
    expect(Bun.YAML.parse(data)).toMatchObject({ listen: "127.0.0.1", port: 3000 });
  });
  test("token: the node's address and a token come together", async () => {
    const [container = {}] = listAt(await workload("overlays/token"), "containers");
    const names = listAt(container, "env").map((one) => at(one, "name"));
    expect(names).toEqual(["AYAFLOW_CONFIG", "AYAFLOW_LISTEN", "AYAFLOW_API_TOKEN", "AYAFLOW_HEALTH_PUBLIC"]);
    for (const probe of probes) expect(mapAt(container, probe, "httpGet").host).toBeUndefined();
  });
  test("no-service: all of the base but the Service", async () => {
    const kinds = (all: Manifest[]) => all.map((one) => one.kind);
    const base = kinds(await kustomize("base"));
    expect(kinds(await kustomize("overlays/no-service"))).toEqual(base.filter((kind) => kind !== "Service"));
  });
  test("prometheus-operator: the token's overlay, scraped, with all the alerts", async () => {
    const all = await kustomize("overlays/prometheus-operator");
    expect(all.slice(0, -2)).toEqual(await kustomize("overlays/token"));
    const rules: unknown = Bun.YAML.parse(
      await Bun.file(join(ROOT, "monitoring", "prometheus", "ayaflow.rules.yml")).text(),
    );
    expect(isManifest(rules)).toBe(true);
    expect(at(ofKind(all, "PrometheusRule"), "spec")).toEqual(rules as Manifest);
  });
});
