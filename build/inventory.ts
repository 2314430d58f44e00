/** Finds what is inside the executables, and writes their licences and their bill of materials. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pagePackages } from "../build-page.ts";
import { bundledPackages } from "./bundle.ts";
import {
  bunComponent,
  type Component,
  debianComponent,
  integritiesOf,
  npmComponent,
  objectComponent,
  type Product,
} from "./components.ts";
import { assetsOf, librariesOf } from "./libraries.ts";
import { licensesText, packedLicenses } from "./licenses.ts";
import { runtimeHash } from "./runtime.ts";
import { sbom } from "./sbom.ts";
import { DIST, digest, filesOf, ROOT, step } from "./step.ts";
import type { Target } from "./targets.ts";

const SBOM = join(DIST, "ayaflow.cdx.json");

async function productOf(): Promise<Product> {
  const { version, license } = (await Bun.file(join(ROOT, "package.json")).json()) as {
    version: string;
    license: string;
  };
  return {
    name: "ayaflow",
    version,
    purl: `pkg:generic/ayaflow@${version}`,
    license,
    texts: [await Bun.file(join(ROOT, "LICENSE")).text()],
  };
}

async function npmComponents(host: Target): Promise<Component[]> {
  const folders = new Set([...(await bundledPackages(host)), ...(await pagePackages())]);
  const integrities = await integritiesOf();
  const all = await Promise.all([...folders].map((folder) => npmComponent(folder, integrities)));
  // The same package can lie in two folders.
  const byPurl = new Map(all.map((component) => [component.purl, component]));
  return [...byPurl.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

async function nativeComponents(target: Target): Promise<Component[]> {
  const libraries = await librariesOf(target);
  return [
    await bunComponent({ name: target.runtime, sha256: runtimeHash(target) }),
    ...(await Promise.all(libraries.map(debianComponent))),
  ];
}

async function ownComponent(host: Target, { version }: Product): Promise<Component> {
  return await objectComponent(join(assetsOf(host), "ayaflow.bpf.o"), version);
}

/** Writes the licences of all that a target's executable has inside into the target's assets. */
export async function writeLicenses(target: Target, host: Target): Promise<void> {
  const file = join(assetsOf(target), "licenses.gz");
  const others = ["LICENSE", "bpf/LICENSE", "package.json", "package-lock.json", "build-page.ts"];
  const inputs = await digest(
    [
      ...["src", "build"].flatMap((folder) => filesOf(folder, "**/*")),
      ...others.map((name) => join(ROOT, name)),
    ],
    JSON.stringify(await librariesOf(target)),
  );
  await step(`licenses ${target.arch}`, inputs, [file], async () => {
    // The bundle names it.
    if (!existsSync(join(assetsOf(host), "licenses.gz")))
      await Bun.write(join(assetsOf(host), "licenses.gz"), "");
    const product = await productOf();
    const components = [
      await ownComponent(host, product),
      ...(await nativeComponents(target)),
      ...(await npmComponents(host)),
    ];
    await Bun.write(file, packedLicenses(licensesText(product, components)));
  });
}

/** Writes the bill of materials of the executables of `targets` to dist/. Gives its path. */
export async function writeSbom(targets: readonly Target[], host: Target): Promise<string> {
  const product = await productOf();
  const native = (await Promise.all(targets.map(nativeComponents))).flat();
  const all = [await ownComponent(host, product), ...native, ...(await npmComponents(host))];
  const components = [...new Map(all.map((component) => [component.purl, component])).values()];
  await Bun.write(SBOM, `${JSON.stringify(sbom(product, components), null, 2)}\n`);
  return SBOM;
}
