/** The text that `ayaflow version --licenses` prints. */
import { gzipSync } from "node:zlib";
import type { Component, Product } from "./components.ts";

const RULE = "=".repeat(100);

function titleOf({ name, version, license }: Product): string {
  return `${name} ${version}: ${license}`;
}

/** A component of this program, then its licence texts; components that have the same texts stand together. */
export function licensesText(product: Product, components: readonly Component[]): string {
  const byTexts = Map.groupBy(components, ({ texts }) => texts.join(`\n${RULE}\n`));
  const head = [
    titleOf(product),
    "",
    "It contains the following, whose licences are below:",
    "",
    ...components.map((component) => `  ${titleOf(component)}`),
    "",
    "The libraries from Debian are files of their own inside the executable, loaded when it starts, so they can be",
    "replaced by building it with others. Their sources, as those of everything that asks for it:",
    "",
    ...components.flatMap(({ name, source }) => (source === undefined ? [] : [`  ${name}: ${source}`])),
  ];
  const sections = [...byTexts].map(([texts, of]) => [...of.map(titleOf), "", texts.trim()].join("\n"));
  return `${[head.join("\n"), [titleOf(product), "", product.texts.join("\n").trim()].join("\n"), ...sections].join(`\n\n${RULE}\n`)}\n`;
}

/** Compressed for the executable; the same bytes for the same text. */
export function packedLicenses(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}
