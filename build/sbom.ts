/** The bill of materials: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/), the same for the same contents. */
import type { Component, Part, Product } from "./components.ts";

function licensesOf(expression: string): object[] {
  return /^[A-Za-z0-9.+-]+$/.test(expression) ? [{ license: { id: expression } }] : [{ expression }];
}

/** Terms of a part are in its owner's words. */
function partOf(owner: Component, { name, url, license }: Part): object {
  return {
    type: "library",
    "bom-ref": `${owner.purl}#${name}`,
    name,
    licenses: [{ license: { name: license } }],
    externalReferences: [{ type: "website", url }],
  };
}

function componentOf(component: Component): object {
  const { name, version, purl, license, hash, source, parts = [] } = component;
  return {
    type: name === "bun" ? "platform" : "library",
    "bom-ref": purl,
    name,
    version,
    hashes: [{ alg: hash.algorithm, content: hash.hex }],
    licenses: licensesOf(license),
    purl,
    ...(source === undefined ? {} : { properties: [{ name: "ayaflow:source", value: source }] }),
    ...(parts.length === 0 ? {} : { components: parts.map((part) => partOf(component, part)) }),
  };
}

/** The document for a product and what is in any of its executables. It has no time and no serial number. */
export function sbom(product: Product, components: readonly Component[]): object {
  const { name, version, purl, license } = product;
  const refs = components.map((component) => component.purl);
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: { type: "application", "bom-ref": purl, name, version, licenses: licensesOf(license), purl },
    },
    components: components.map(componentOf),
    dependencies: [{ ref: purl, dependsOn: refs }, ...refs.map((ref) => ({ ref }))],
  };
}
