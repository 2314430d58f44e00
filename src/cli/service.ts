import { monotonicUsec, sendNotification } from "../bpf/notify.ts";

/** What a service manager is told, as sd_notify(3) names it. Nothing happens where there is none. */
export interface ServiceManager {
  /** What comes next may take so long, in milliseconds. */
  extendStart(ms: number): void;
  ready(status: string): void;
  reloading(): void;
  /** A sentence for `systemctl status`; sent when it is another one. */
  status(text: string): void;
  /** The agent is well: call it where that is certain, as often as you like. */
  alive(): void;
  stopping(): void;
}

export interface ServiceParts {
  env: Record<string, string | undefined>;
  pid: number;
  /** Monotonic milliseconds. */
  now: () => number;
  send?: (socket: string, text: string) => unknown;
}

/** Told after this share of the time that systemd waits: a look a second later is still before half of it. */
const ALIVE_SHARE = 1 / 4;

/** Milliseconds between signs of life that systemd waits for, or null where it does not wait for this process. */
function watchdogMs({ env, pid }: ServiceParts): number | null {
  const usec = Number(env.WATCHDOG_USEC);
  const isOurs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid;
  return Number.isFinite(usec) && usec > 0 && isOurs ? usec / 1000 : null;
}

/** One line without control characters: a newline would begin another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}

/** The service manager that started this process. Takes its variables out of `env`: no child may speak for the agent. */
export function serviceManager(parts: ServiceParts): ServiceManager {
  const { env, now, send = sendNotification } = parts;
  const socket = env.NOTIFY_SOCKET;
  const everyMs = watchdogMs(parts);
  for (const name of ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]) delete env[name];
  const tell = (...lines: string[]) => {
    if (socket !== undefined && socket !== "") send(socket, lines.join("\n"));
  };
  let shown = "";
  let aliveAt = -Infinity;
  const statusLine = (text: string) => {
    shown = oneLine(text);
    return `STATUS=${shown}`;
  };
  return {
    extendStart: (ms) => tell(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1000)}`),
    ready: (status) => tell("READY=1", statusLine(status)),
    reloading: () => tell("RELOADING=1", `MONOTONIC_USEC=${monotonicUsec()}`),
    status(text) {
      if (oneLine(text) !== shown) tell(statusLine(text));
    },
    alive() {
      if (everyMs === null || now() - aliveAt < everyMs * ALIVE_SHARE) return;
      aliveAt = now();
      tell("WATCHDOG=1");
    },
    stopping: () => tell("STOPPING=1", statusLine("stopping")),
  };
}
