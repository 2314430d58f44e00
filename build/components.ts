/** Everything of others that is inside an executable: name, version, terms and their texts. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Library } from "./libraries.ts";
import { ROOT, sha256Of } from "./step.ts";
import { MIT_HOLDERS, mitText } from "./mit.ts";

export interface Component {
  name: string;
  version: string;
  /** Package URL (https://github.com/package-url/purl-spec). */
  purl: string;
  /** SPDX expression. */
  license: string;
  /** Full texts and notices, never none. */
  texts: string[];
  /** What the digest is of differs: npm's package, or the file that is inside. */
  hash: { algorithm: "SHA-256" | "SHA-512"; hex: string };
  /** Where the source is, for those whose terms ask that it be named. */
  source?: string;
  /** Others that are linked into it. */
  parts?: Part[];
}

/** This program itself. */
export type Product = Pick<Component, "name" | "version" | "purl" | "license" | "texts">;

/** A library inside another component, as that one's own licence statement has it. */
export interface Part {
  name: string;
  url: string;
  license: string;
}

const COMMON_LICENSES = "/usr/share/common-licenses";
/** Bun's licence statement names nobody. */
const BUN_HOLDER = "Copyright (c) the authors of Bun (https://github.com/oven-sh/bun)";
const TERMS_FILE = /^(licen[cs]e|copying|notice)/i;

async function textsIn(folder: string): Promise<string[]> {
  const names = readdirSync(folder)
    .filter((name) => TERMS_FILE.test(name))
    .sort();
  return await Promise.all(names.map((name) => Bun.file(join(folder, name)).text()));
}

interface Manifest {
  name: string;
  version: string;
  license?: string | { type: string };
}

/** The npm package in `folder`, a path in the repository. @throws Error when it has no terms. */
export async function npmComponent(
  folder: string,
  integrities: ReadonlyMap<string, string>,
): Promise<Component> {
  const { name, version, license } = (await Bun.file(join(ROOT, folder, "package.json")).json()) as Manifest;
  const id = typeof license === "object" ? license.type : license;
  const holder = MIT_HOLDERS[name];
  const found = await textsIn(join(ROOT, folder));
  const texts = found.length === 0 && holder !== undefined && id === "MIT" ? [mitText(holder)] : found;
  if (id === undefined || texts.length === 0)
    throw new Error(
      `the npm package ${name} ${version} is bundled, but has no licence: find it, or do without it`,
    );
  const integrity = integrities.get(folder) ?? "";
  const [, digest] = /^sha512-(.+)$/.exec(integrity) ?? [];
  if (digest === undefined) throw new Error(`package-lock.json has no SHA-512 of ${folder}`);
  const hex = Buffer.from(digest, "base64").toString("hex");
  return {
    name,
    version,
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    license: id.replace(/^\((.*)\)$/, "$1"),
    texts,
    hash: { algorithm: "SHA-512", hex },
  };
}

/** Integrity of each package of package-lock.json, by its folder. */
export async function integritiesOf(): Promise<Map<string, string>> {
  const lock = (await Bun.file(join(ROOT, "package-lock.json")).json()) as {
    packages: Record<string, { integrity?: string }>;
  };
  return new Map(Object.entries(lock.packages).map(([folder, { integrity = "" }]) => [folder, integrity]));
}

/** The texts that a Debian copyright file only names the place of. */
async function commonTexts(copyright: string): Promise<string[]> {
  const names = [...copyright.matchAll(/common-licenses\/([A-Za-z0-9.-]*[A-Za-z0-9])/g)].map(
    ([, name]) => name ?? "",
  );
  return await Promise.all(
    [...new Set(names)].sort().map((name) => Bun.file(join(COMMON_LICENSES, name)).text()),
  );
}

/** A shared library of Debian. */
export async function debianComponent(library: Library): Promise<Component> {
  const { name, version, architecture, root, source, sourceVersion } = library.package;
  const copyright = Bun.file(join(root, "usr/share/doc", name, "copyright"));
  if (!(await copyright.exists()))
    throw new Error(`${library.file} is put in, but the package ${name} has no copyright file in ${root}`);
  const text = await copyright.text();
  return {
    name,
    version,
    purl: `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`,
    license: library.license,
    texts: [text, ...(await commonTexts(text))],
    hash: { algorithm: "SHA-256", hex: library.sha256 },
    source: `Debian source package ${source} ${sourceVersion} (apt-get source ${source}=${sourceVersion})`,
  };
}

/** Rows of the tables in Bun's licence statement: name, address, terms; what is only in other systems' builds is not. */
function partsOf(statement: string): Part[] {
  const [linked = ""] = statement.split("## Additional credits");
  return [...linked.matchAll(/^\|([^|]*)\|([^|]*)\|\s*$/gm)].flatMap(([, what = "", terms = ""]) => {
    const [, label = "", url = ""] = /\[([^\]]+)\]\(([^)]+)\)/.exec(what) ?? [];
    if (label === "" || /\(on Windows\)|windows\.zig/.test(what)) return [];
    return [
      { name: label.replaceAll("`", ""), url, license: terms.replace(/\[([^\]]+)\]\([^)]*\)/, "$1").trim() },
    ];
  });
}

/** The runtime; `bun-types` of the same version has its licence statement. */
export async function bunComponent(runtime: { name: string; sha256: string }): Promise<Component> {
  const file = join(ROOT, "node_modules", "bun-types", "docs", "project", "license.mdx");
  const statement = (await Bun.file(file).text()).replace(/^---\n[\s\S]*?\n---\n/, "");
  const parts = partsOf(statement);
  if (!statement.includes("LGPL-2 licensed") || parts.length === 0)
    throw new Error(
      `${file} does not have Bun's licence statement in the form that build/components.ts reads`,
    );
  const common = ["LGPL-2", "LGPL-2.1", "Apache-2.0"].map((name) =>
    Bun.file(join(COMMON_LICENSES, name)).text(),
  );
  return {
    name: "bun",
    version: Bun.version,
    purl: `pkg:npm/${runtime.name.replace("@", "%40")}@${Bun.version}`,
    license: "MIT",
    texts: [statement, mitText(BUN_HOLDER), ...(await Promise.all(common))],
    hash: { algorithm: "SHA-256", hex: runtime.sha256 },
    source: `https://github.com/oven-sh/bun, tag bun-v${Bun.version}; WebKit's: https://github.com/oven-sh/WebKit`,
    parts: [
      { name: "JavaScriptCore", url: "https://github.com/oven-sh/WebKit", license: "LGPL-2.0-or-later" },
      ...parts,
    ],
  };
}

/** The kernel side, which is ours but under other terms. */
export async function objectComponent(file: string, version: string): Promise<Component> {
  return {
    name: "ayaflow.bpf.o",
    version,
    purl: `pkg:generic/ayaflow-bpf@${version}`,
    license: "GPL-2.0-only OR BSD-2-Clause",
    texts: [await Bun.file(join(ROOT, "bpf", "LICENSE")).text()],
    hash: { algorithm: "SHA-256", hex: await sha256Of(file) },
  };
}
