import type { KernelInterfaces } from "../bpf/kernel-interfaces.ts";
import { RouteSocket } from "../bpf/netlink.ts";
import { resolveInterfaces } from "../config/interfaces.ts";
import type { Config } from "../config/types.ts";
import type { WatchState } from "../flow/watch-state.ts";
import type { Logger } from "../log.ts";
import { WatchFollower } from "./watch-follower.ts";

/** What the kernel says is read so often: one system call where it says nothing. */
const TICK_MS = 100;

export interface WatchOptions {
  interfaces: KernelInterfaces;
  /** Told what becomes of the interfaces. */
  state: WatchState;
  config: Pick<Config, "interfaces" | "attachMode" | "shareInterfaces">;
  log: Logger;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** The interfaces that are followed until `stop`. */
export interface Watching {
  /** Watches what other patterns mean from now on. Returns what is wrong with them: empty when they are taken. */
  reload(patterns: readonly string[]): string[];
  stop(): void;
}

/**
 * Attaches to what the patterns mean and follows what becomes of it.
 * @throws AyaflowError when another agent is there, or none of what is there can be attached to.
 */
export function startWatching({ interfaces, state, config, log, now }: WatchOptions): Watching {
  const socket = new RouteSocket();
  const follower = new WatchFollower(config.interfaces, {
    socket,
    interfaces,
    state,
    attachMode: config.attachMode,
    share: config.shareInterfaces,
    log,
    now,
    soon: (work) => setImmediate(work),
  });
  try {
    follower.start();
  } catch (error) {
    socket.close();
    throw error;
  }
  const timer = setInterval(() => follower.tick(), TICK_MS);
  return {
    reload(patterns) {
      const added = patterns.filter((pattern) => !follower.patterns.includes(pattern));
      const names = socket.links().map(({ name }) => name);
      const { problems } = resolveInterfaces(added, { names, defaultRoute: [] });
      if (problems.length === 0) follower.follow(patterns);
      return problems;
    },
    stop() {
      if (follower.isStopped) return;
      clearInterval(timer);
      follower.stop();
      socket.close();
    },
  };
}
