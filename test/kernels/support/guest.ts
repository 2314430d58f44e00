/** Boots a guest under qemu and reads what its checks say on the console. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Program } from "../../lab/support/process.ts";
import type { Outcome } from "../guest/report.ts";
import { executableFor } from "./executables.ts";
import { bundleChecks, type GuestFiles, makeInitramfs } from "./initramfs.ts";
import { type Architecture, getKernel, getUserland, type Kernel, type KernelChoice } from "./kernels.ts";

const MEMORY_MB = 1024;
const CPUS = 2;
const TIMEOUT_MS = 30 * 60_000;
/** What is shown of the console when a guest ends without an answer. */
const TAIL_LINES = 40;

interface Machine {
  emulator: string;
  options: string[];
  console: string;
}

/** With the host's own virtualisation where that is to be had: a /dev/kvm alone can be one that runs nothing. */
function acceleration(architecture: Architecture): string[] {
  const isUsable =
    architecture === process.arch &&
    existsSync("/dev/kvm") &&
    /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  return isUsable ? ["-accel", "kvm", "-accel", "tcg"] : ["-accel", "tcg"];
}

function machine({ architecture, emulatedCpu }: Kernel): Machine {
  const cpu = emulatedCpu ?? "max";
  return architecture === "arm64"
    ? { emulator: "qemu-system-aarch64", options: ["-M", "virt", "-cpu", cpu], console: "ttyAMA0" }
    : { emulator: "qemu-system-x86_64", options: ["-cpu", cpu], console: "ttyS0" };
}

export interface GuestResult {
  kernel: Kernel;
  /** Name of the executable that ran there. */
  executable: string;
  /** Empty where the guest never got to its checks. */
  outcomes: Outcome[];
  seconds: number;
  /** What was wrong with the guest as a whole; null when it ran to its end. */
  problem: string | null;
}

function outcomesOf(console: string): Outcome[] {
  return console.split("\n").flatMap((line) => {
    const json = /^@check (\{.*\})\s*$/.exec(line)?.[1];
    return json === undefined ? [] : [JSON.parse(json) as Outcome];
  });
}

function tail(console: string): string {
  return console.trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
}

/** Gets what a guest is made of and runs it; `core` leaves out what is about other devices, refusals and network emulation. */
export async function runKernel(choice: KernelChoice, checks: "all" | "core"): Promise<GuestResult> {
  const [kernel, userland, bundle] = await Promise.all([
    getKernel(choice),
    getUserland(choice.architecture),
    bundleChecks(),
  ]);
  return await runGuest({ kernel, userland, binary: executableFor(choice), checks: bundle }, checks);
}

/** Runs one guest from its start to its end. */
async function runGuest(files: GuestFiles, checks: string): Promise<GuestResult> {
  const { kernel } = files;
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "ayaflow-guest-"));
  try {
    const initramfs = join(folder, "initramfs.cpio");
    await writeFile(initramfs, await makeInitramfs(files));
    const { emulator, options, console } = machine(kernel);
    const words = [
      `console=${console}`,
      "quiet",
      "loglevel=3",
      "panic=-1",
      // A busy host can starve the timer that x86 tries out at the start.
      "no_timer_check",
      `AYAFLOW_METHOD=${kernel.method}`,
      `AYAFLOW_CHECKS=${checks}`,
    ];
    const fixed = `-m ${MEMORY_MB} -smp ${CPUS} -display none -nodefaults -no-reboot -serial stdio`.split(
      " ",
    );
    const boot = ["-kernel", kernel.image, "-initrd", initramfs, "-append", words.join(" ")];
    const command = [emulator, ...acceleration(kernel.architecture), ...options, ...fixed, ...boot];
    await using qemu = new Program(command);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      qemu.signal("SIGKILL");
    }, TIMEOUT_MS);
    const { stdout: text, stderr } = await qemu.exited().finally(() => clearTimeout(timer));
    const hasEnded = /^@ended 0\s*$/m.test(text);
    const reason = isLate ? `the guest ran for more than ${TIMEOUT_MS / 1000} s` : "the guest ended early";
    return {
      kernel,
      executable: basename(files.binary),
      outcomes: outcomesOf(text),
      seconds: (performance.now() - started) / 1000,
      problem: hasEnded ? null : `${reason}:\n${tail(text)}\n${stderr}`,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}
