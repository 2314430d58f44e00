import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { releaseFiles, releaseNotes, versionOfTag } from "../../../build/release.ts";
import manifest from "../../../package.json" with { type: "json" };
import { ROOT } from "../../support/command.ts";

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-27

### Added
- A thing ([#1](https://example.org/1)).

## [1.1.0]

### Fixed
- Another.

## [1.0.0] - 2026-01-01

[1.2.0]: https://example.org/1.2.0
`;

describe("notes of a release", () => {
  test("are the section of its version, and nothing of the others", () => {
    expect(releaseNotes(CHANGELOG, "1.2.0")).toBe("### Added\n- A thing ([#1](https://example.org/1)).\n");
  });

  test.each([
    ["1.3.0", 'no section "## [1.3.0]'],
    ["1.1.0", "needs a date"],
    ["1.0.0", "says nothing about 1.0.0"],
  ])("are refused for %s", (version, problem) => {
    expect(() => releaseNotes(CHANGELOG, version)).toThrow(problem);
  });
});

test("a tag is the package's version", () => {
  expect(versionOfTag("v1.2.3", "1.2.3")).toBe("1.2.3");
  for (const tag of ["1.2.3", "v1.2.4", "v1.2.3-rc.1", ""]) {
    expect(() => versionOfTag(tag, "1.2.3")).toThrow("package.json");
  }
});

test("a release has the packages of its version", () => {
  expect(releaseFiles("1.2.3")).toContain("ayaflow_1.2.3_arm64.deb");
});

test.each(["README.md", "docs/kubernetes.md"])(
  "%s names this version, wherever it names one",
  async (name) => {
    const text = await Bun.file(join(ROOT, name)).text();
    const named = [...text.matchAll(/(?:ayaflow_|ayaflow:|\/v)(\d+\.\d+\.\d+)/g)].map(
      ([, version]) => version,
    );
    expect(named.length).toBeGreaterThan(0);
    expect(new Set(named)).toEqual(new Set([manifest.version]));
  },
);
