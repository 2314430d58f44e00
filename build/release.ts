/**
 * Gathers what a release consists of, after everything was built: `bun build/release.ts v1.2.3`.
 * Leaves dist/release-notes.md and a dist/SHA256SUMS of all files that are attached.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import manifest from "../package.json" with { type: "json" };
import { addChecksums } from "./checksums.ts";

const ROOT = join(import.meta.dir, "..");
const DIST = join(ROOT, "dist");
/** Copied beside the executables as they are: install.sh fetches the unit from there. */
const COPIED = ["systemd/ayaflow.service", "install.sh"];

/** Names of the files of a release, but for SHA256SUMS itself. */
export function releaseFiles(version: string): string[] {
  return [
    "ayaflow-linux-x64",
    "ayaflow-linux-x64-baseline",
    "ayaflow-linux-arm64",
    "ayaflow.cdx.json",
    `ayaflow_${version}_amd64.deb`,
    `ayaflow_${version}_arm64.deb`,
    "ayaflow.service",
    "install.sh",
  ];
}

/**
 * The section of one version in a changelog in the form of Keep a Changelog 1.1.0, without its heading.
 * @throws Error when it is not there, has no date, or says nothing.
 */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((one) => one.startsWith(`[${version}]`));
  if (section === undefined) {
    throw new Error(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD": rename Unreleased`);
  }
  const [heading = "", ...lines] = section.split("\n");
  if (!/\] - \d{4}-\d{2}-\d{2}$/.test(heading)) {
    throw new Error(`CHANGELOG.md: "## ${heading}" needs a date, as in "## [${version}] - 2026-01-31"`);
  }
  // Links are collected at the end of the file.
  const notes = lines.filter((line) => !/^\[[^\]]+\]: /.test(line)).join("\n");
  if (notes.trim() === "") throw new Error(`CHANGELOG.md says nothing about ${version}`);
  return `${notes.trim()}\n`;
}

/** The version of a tag `v1.2.3`, which has to be the package's. @throws Error otherwise. */
export function versionOfTag(tag: string, packageVersion: string): string {
  if (tag === `v${packageVersion}`) return packageVersion;
  throw new Error(`tag ${tag} is not v${packageVersion}, the version in package.json: change one of them`);
}

async function main(tag: string): Promise<void> {
  const version = versionOfTag(tag, manifest.version);
  const notes = releaseNotes(await Bun.file(join(ROOT, "CHANGELOG.md")).text(), version);
  for (const file of COPIED) {
    await Bun.write(join(DIST, file.split("/").at(-1) ?? ""), Bun.file(join(ROOT, file)));
  }
  const files = releaseFiles(version).map((name) => join(DIST, name));
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) {
    throw new Error(`not built: ${missing.join(", ")}; run npm run build -- --all && npm run package`);
  }
  await addChecksums(files);
  await Bun.write(join(DIST, "release-notes.md"), notes);
  console.log(`${files.join("\n")}\n${join(DIST, "SHA256SUMS")}`);
}

if (import.meta.main) {
  try {
    await main(process.argv[2] ?? "");
  } catch (error) {
    console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}
