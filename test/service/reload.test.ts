import { describe, expect, test } from "bun:test";
import { socketAddress } from "../../src/bpf/notify.ts";
import { Reload } from "../../src/cli/reload.ts";
import { serviceManager } from "../../src/cli/service.ts";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { createGuard } from "../../src/api/guards.ts";
import { createLogger } from "../../src/log.ts";

const load = (flags: Record<string, unknown>, token?: string): Promise<LoadedConfig> =>
  loadConfig({ flags, env: token === undefined ? {} : { AYAFLOW_API_TOKEN: token } });

async function start(next: () => Promise<LoadedConfig>, problems: string[] = []) {
  const lines: string[] = [];
  const watched: (readonly string[])[] = [];
  const running = await load({ interface: "eth0" }, "the-first-token-of-it");
  const reload = new Reload({
    running,
    load: next,
    watch: (patterns) => {
      watched.push(patterns);
      return problems;
    },
    taken: () => {},
    log: createLogger("debug", "text", (line) => lines.push(line)),
    now: Date.now,
  });
  return { running, reload, lines, watched };
}

describe("a reload", () => {
  test("takes what may change, leaves the rest, and keeps the token out of the log", async () => {
    const next = () =>
      load({ interface: "eth1", port: "4000", log_level: "debug" }, "the-second-token-of-it");
    const { running, reload, lines, watched } = await start(next);
    const guard = createGuard(running.config);
    const ask = (token: string) =>
      guard("/api/stats", new Headers({ authorization: `Bearer ${token}` }), "127.0.0.1");
    expect(ask("the-first-token-of-it")).toBe("full");
    await reload.ask();
    expect(running.config).toMatchObject({ interfaces: ["eth1"], port: 3000, logLevel: "debug" });
    expect(watched).toEqual([["eth1"]]);
    expect(ask("the-second-token-of-it")).toBe("full");
    expect(() => ask("the-first-token-of-it")).toThrow("wrong");
    expect(lines.join("")).toContain("needs a restart: port");
    expect(lines.join("")).not.toContain("token-of-it");
  });

  test("takes nothing when the interfaces are refused", async () => {
    const { running, reload } = await start(
      () => load({ interface: "eth9", log_level: "debug" }),
      ["no eth9"],
    );
    await reload.ask();
    expect(reload.isGood).toBe(false);
    expect(running.config).toMatchObject({
      interfaces: ["eth0"],
      logLevel: "info",
      apiToken: "the-first-token-of-it",
    });
  });

  test("never runs twice at once, and the last one asked for counts", async () => {
    let atOnce = 0;
    let most = 0;
    let loads = 0;
    let port = 1;
    const { running, reload } = await start(async () => {
      most = Math.max(most, ++atOnce);
      loads++;
      const loaded = await load({ interface: "eth0", connection_timeout: String(port) });
      await new Promise(setImmediate);
      atOnce--;
      return loaded;
    });
    const first = reload.ask();
    for (port = 2; port < 9; port++) void reload.ask();
    await first;
    expect({ most, loads }).toEqual({ most: 1, loads: 2 });
    expect(running.config.connectionTimeoutSeconds).toBe(9);
  });
});

describe("the service manager", () => {
  const told = (env: Record<string, string | undefined>) => {
    const sent: string[] = [];
    let ms = 0;
    const service = serviceManager({ env, pid: 7, now: () => ms, send: (_, text) => sent.push(text) });
    return { service, sent, at: (now: number) => (ms = now) };
  };

  test("hears of life before half of its time is over, and no child speaks for the agent", () => {
    const env = { NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "10000000", WATCHDOG_PID: "7" };
    const { service, sent, at } = told(env);
    for (let now = 0; now <= 10_000; now += 1000) {
      at(now);
      service.alive();
    }
    expect(sent).toEqual(["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
    expect(env as object).toEqual({});
  });

  test("that waits for another process, or is not there, hears nothing", () => {
    const other = told({ NOTIFY_SOCKET: "/run/n", WATCHDOG_USEC: "10000000", WATCHDOG_PID: "8" });
    other.service.alive();
    const none = told({ WATCHDOG_USEC: "10000000" });
    none.service.ready("well");
    none.service.alive();
    expect([...other.sent, ...none.sent]).toEqual([]);
  });

  test("a status is one line", () => {
    const { service, sent } = told({ NOTIFY_SOCKET: "@n" });
    service.ready("a\nMAINPID=1");
    service.status("a MAINPID=1");
    expect(sent).toEqual(["READY=1\nSTATUS=a MAINPID=1"]);
  });

  test("addresses: a path, an abstract name, nothing else", () => {
    expect(socketAddress("/a")).toEqual(new Uint8Array([1, 0, 47, 97]));
    expect(socketAddress("@a")).toEqual(new Uint8Array([1, 0, 0, 97]));
    for (const name of ["", "@", "/", "a", "vsock:2:1", `/${"a".repeat(108)}`])
      expect(socketAddress(name)).toBeNull();
  });
});
