/** The page as the build packed it and the executable carries it inside. */
import { readFileSync } from "node:fs";
import packPath from "../dist/assets/page.pack" with { type: "file" };
import type { PageFiles } from "./api/page.ts";
import { unpackPage } from "./page-pack.ts";

/** The files of the page; read each time one is asked for, so that an agent nobody looks at does not hold them. */
export function openPageFiles(): PageFiles {
  return { get: (path) => unpackPage(readFileSync(packPath)).get(path) };
}
