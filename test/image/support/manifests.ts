/** The manifests as they are, and the overlays put together as kustomize does. */
import { dirname, join } from "node:path";
import { ROOT } from "../../support/command.ts";

export const K8S = join(ROOT, "k8s");

export type Value = string | number | boolean | null | Value[] | Manifest;
export interface Manifest {
  [key: string]: Value;
}

/** A text or a number as text. @throws Error for anything else. */
export function textOf(value: Value | undefined): string {
  if (typeof value === "string" || typeof value === "number") return `${value}`;
  throw new Error(`no text: ${JSON.stringify(value)}`);
}

export function isManifest(value: unknown): value is Manifest {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The documents of YAML text. @throws Error for a document that is no mapping. */
export function documents(text: string): Manifest[] {
  const parsed: unknown = Bun.YAML.parse(text);
  const all: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  return all.map((one) => {
    if (!isManifest(one)) throw new Error(`no manifest: ${JSON.stringify(one)}`);
    return one;
  });
}

export async function readManifests(path: string): Promise<Manifest[]> {
  return documents(await Bun.file(join(K8S, path)).text());
}

/** The value at `keys`. @throws Error where there is none. */
export function at(value: Value, ...keys: (string | number)[]): Value {
  return keys.reduce((inner: Value, key) => {
    const next = Array.isArray(inner) ? inner[Number(key)] : isManifest(inner) ? inner[key] : undefined;
    if (next === undefined) throw new Error(`no ${key} of ${keys.join(".")}`);
    return next;
  }, value);
}

/** The list at `keys`. */
export function listAt(value: Value, ...keys: (string | number)[]): Value[] {
  const found = at(value, ...keys);
  if (!Array.isArray(found)) throw new Error(`${keys.join(".")} is no list`);
  return found;
}

export function mapAt(value: Value, ...keys: (string | number)[]): Manifest {
  const found = at(value, ...keys);
  if (!isManifest(found)) throw new Error(`${keys.join(".")} is no mapping`);
  return found;
}

export function ofKind(all: readonly Manifest[], kind: string): Manifest {
  const found = all.find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`no ${kind}`);
  return found;
}

/** One operation of RFC 6902: add to the end of a list, or remove of a key that is there. */
function applyOperation(target: Manifest, operation: Manifest): void {
  const keys = textOf(operation.path).split("/").slice(1);
  const last = keys.pop() ?? "";
  if (operation.op === "add" && last === "-") listAt(target, ...keys).push(at(operation, "value"));
  else if (operation.op === "remove") {
    at(target, ...keys, last);
    delete mapAt(target, ...keys)[last];
  } else throw new Error(`not known here: ${textOf(operation.op)} ${textOf(operation.path)}`);
}

function applyPatch(all: readonly Manifest[], patch: Value): Manifest[] {
  const [kind, name] = [at(patch, "target", "kind"), at(patch, "target", "name")];
  const target = all.find((one) => one.kind === kind && at(one, "metadata", "name") === name);
  if (target === undefined)
    throw new Error(`a patch is for ${textOf(kind)} ${textOf(name)}, which is not there`);
  const body: unknown = Bun.YAML.parse(textOf(at(patch, "patch")));
  if (isManifest(body) && body.$patch === "delete") return all.filter((one) => one !== target);
  if (!Array.isArray(body)) throw new Error("no list of operations");
  for (const operation of body) if (isManifest(operation)) applyOperation(target, operation);
  return [...all];
}

/** What a kustomization comes to; `folder` is below k8s/. */
export async function kustomize(folder: string): Promise<Manifest[]> {
  const [own] = await readManifests(join(folder, "kustomization.yaml"));
  if (own === undefined) throw new Error(`${folder} is empty`);
  const resources = await Promise.all(
    listAt(own, "resources").map((name) => {
      const path = join(folder, textOf(name));
      return path.endsWith(".yaml") ? readManifests(path) : kustomize(path);
    }),
  );
  const patches = own.patches === undefined ? [] : listAt(own, "patches");
  return patches.reduce((all: Manifest[], patch) => applyPatch(all, patch), resources.flat());
}

/** Every kustomization below k8s/. */
export function kustomizations(): string[] {
  return [...new Bun.Glob("**/kustomization.yaml").scanSync({ cwd: K8S })].map(dirname).sort();
}
