/** The manifest's pod, as flags of podman and as a Pod for `podman kube play`. */
import {
  at,
  isManifest,
  listAt,
  type Manifest,
  mapAt,
  ofKind,
  readManifests,
  type Value,
  textOf,
} from "./manifests.ts";
import { SECCOMP_FILE } from "./store.ts";

const DATA = "/var/lib/ayaflow";

export async function podSpec(): Promise<Manifest> {
  return mapAt(ofKind(await readManifests("daemonset.yaml"), "DaemonSet"), "spec", "template", "spec");
}

export async function configMap(): Promise<Manifest> {
  return ofKind(await readManifests("daemonset.yaml"), "ConfigMap");
}

const SCALARS: Readonly<Record<string, (value: Value) => string[]>> = {
  runAsNonRoot: () => [],
  runAsUser: (value) => ["--user", textOf(value)],
  runAsGroup: () => [],
  allowPrivilegeEscalation: (value) => (value === false ? ["--security-opt", "no-new-privileges"] : []),
  privileged: (value) => (value === true ? ["--privileged"] : []),
  readOnlyRootFilesystem: (value) => (value === true ? ["--read-only", "--read-only-tmpfs=false"] : []),
};

/** A container's security context as flags. @throws Error for a field that has no flag here. */
export function securityFlags(container: Value): string[] {
  const context = mapAt(container, "securityContext");
  return Object.entries(context).flatMap(([name, value]) => {
    if (name === "capabilities" && isManifest(value)) {
      const flags = (flag: string, names: Value[]) => names.flatMap((one) => [flag, textOf(one)]);
      return [...flags("--cap-drop", listAt(value, "drop")), ...flags("--cap-add", listAt(value, "add"))];
    }
    const flags = SCALARS[name];
    if (flags === undefined) throw new Error(`securityContext.${name} is not known here`);
    return flags(value);
  });
}

/** Environment and mounts as flags; `folders` are what stands in for the volumes, by name. */
export function placeFlags(container: Value, folders: Readonly<Record<string, string>>): string[] {
  const env = (isManifest(container) && container.env !== undefined ? listAt(container, "env") : []).flatMap(
    (one) => ["--env", `${textOf(at(one, "name"))}=${textOf(at(one, "value"))}`],
  );
  const mounts = listAt(container, "volumeMounts").flatMap((mount) => {
    const source = folders[textOf(at(mount, "name"))];
    if (source === undefined) throw new Error(`no folder for ${JSON.stringify(mount)}`);
    const mode = isManifest(mount) && mount.readOnly === true ? ":ro" : "";
    return ["--volume", `${source}:${textOf(at(mount, "mountPath"))}${mode}`];
  });
  return [...env, ...mounts];
}

/**
 * The pod template as a Pod; its data are in `folder`, which the host's own must not be. Podman would publish the ports
 * listed, which a pod in the host's network cannot do: the list goes. It would also start the init container again and
 * again: unlike a DaemonSet's, this pod is not restarted.
 */
export function asPod(spec: Manifest, folder: string): Manifest {
  const copy = structuredClone(spec);
  for (const volume of listAt(copy, "volumes"))
    if (isManifest(volume) && volume.name === "data") mapAt(volume, "hostPath").path = folder;
  for (const container of listAt(copy, "containers")) if (isManifest(container)) delete container.ports;
  if (JSON.stringify(copy).includes(`"hostPath":{"path":"${DATA}"`))
    throw new Error("a volume is still the host's own");
  copy.restartPolicy = "Never";
  // What RuntimeDefault is for podman cannot be set otherwise.
  const annotations = { "seccomp.security.alpha.kubernetes.io/pod": `localhost/${SECCOMP_FILE}` };
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "ayaflow", annotations }, spec: copy };
}
