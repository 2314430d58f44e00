import { readFileSync } from "node:fs";

/** A function of each module that clsact needs: the kernel lists it once the module is loaded, or built in. */
const FUNCTIONS = { sch_ingress: "clsact_init", cls_bpf: "cls_bpf_classify" } as const;

/** The modules whose functions are not in `symbols`, the text of /proc/kallsyms. */
export function absentModules(symbols: string): string[] {
  return Object.entries(FUNCTIONS).flatMap(([module, name]) =>
    new RegExp(`\\b${name}\\b`).test(symbols) ? [] : [module],
  );
}

/**
 * Modules that clsact needs and the kernel does not have yet; it loads them at the first use, where they are installed.
 * Empty where the kernel does not list its functions.
 */
export function missingClsactModules(): string[] {
  try {
    const symbols = readFileSync("/proc/kallsyms", "utf8");
    return symbols === "" ? [] : absentModules(symbols);
  } catch {
    return [];
  }
}
