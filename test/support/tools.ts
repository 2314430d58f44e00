import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./command.ts";

/** Path of a program that setup.mjs may have unpacked instead of installed (it would bring a service with it). */
export function toolPath(name: string): string {
  const unpacked = join(ROOT, "dist", "tools", "usr", "bin", name);
  return existsSync(unpacked) ? unpacked : name;
}
