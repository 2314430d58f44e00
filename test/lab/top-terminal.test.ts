import { expect, setDefaultTimeout, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { BINARY, startAgent } from "./support/agent.ts";
import { createLab, type Lab } from "./support/lab.ts";
import { AGENT_ARGS, AGENT_URL, openTerminal, serversOf, TOP, watchDownloads } from "./support/top.ts";
import { TOP_CRASH } from "./support/top-crash.ts";
import type { Tmux } from "./support/tmux.ts";
import { waitFor } from "./support/wait.ts";

setDefaultTimeout(120_000);

/** What `stty` says of the terminal, under a name that is new each time. */
const settingsOf = (lab: Lab, terminal: Tmux) => async (name: string) => {
  await terminal.run(`stty -a > ${lab.path(name)}; echo saved-${name}`);
  await terminal.shows(new RegExp(`^saved-${name}$`, "m"));
  return await readFile(lab.path(name), "utf8");
};

test("gives the terminal back as it was, however it ends", async () => {
  await using lab = await createLab();
  await using agent = await startAgent(lab.server, lab.folder, { args: AGENT_ARGS });
  await using terminal = await openTerminal(lab);
  const settings = settingsOf(lab, terminal);
  const before = await settings("before");
  const signal = (name: NodeJS.Signals) => async () => void process.kill(await terminal.foreground(), name);
  const crash = `${process.execPath} ${TOP_CRASH} ${AGENT_URL}`;
  const ends = [
    { how: "q", command: TOP, end: () => terminal.keys("q"), exitCode: 0 },
    { how: "Ctrl-C", command: TOP, end: () => terminal.keys("C-c"), exitCode: 130 },
    { how: "SIGTERM", command: TOP, end: signal("SIGTERM"), exitCode: 143 },
    { how: "SIGINT", command: TOP, end: signal("SIGINT"), exitCode: 130 },
    { how: "SIGHUP", command: TOP, end: signal("SIGHUP"), exitCode: 129 },
    { how: "an error", command: crash, end: signal("SIGUSR1"), exitCode: 1, says: "made to fail" },
    { how: "an error in drawing", command: crash, end: signal("SIGUSR2"), exitCode: 1, says: "made to fail" },
  ];
  for (const [index, { how, command, end, exitCode, says }] of ends.entries()) {
    await terminal.run("clear");
    await terminal.run(`echo earlier-${index}; ${command}; echo "exit code $?"`);
    await terminal.shows("Counts 100%");
    expect(await terminal.modes(), how).toEqual({ isAlternate: true, isCursorShown: false });
    await end();
    const after = await terminal.shows(/^exit code \d+$/m);
    // The screen from before is there again, and what comes next follows it.
    expect(after.join("\n"), how).toContain(`exit code ${exitCode}`);
    expect(after, how).toContain(`earlier-${index}`);
    if (says !== undefined) expect(after.join("\n"), how).toContain(says);
    expect(await terminal.modes(), how).toEqual({ isAlternate: false, isCursorShown: true });
    expect(await settings(`after-${index}`), how).toBe(before);
  }
  expect((await agent.get<{ status: string }>("/api/health")).status).toBe("ok");
});

test("stopped, it leaves the shell its terminal; continued, it draws the whole screen", async () => {
  await using lab = await createLab();
  await using _agent = await watchDownloads(lab);
  await using terminal = await openTerminal(lab);
  const settings = settingsOf(lab, terminal);
  const before = await settings("before");
  const signal = (name: NodeJS.Signals) => async () => void process.kill(await terminal.foreground(), name);
  const full = async (place: string) => {
    const lines = await terminal.until(
      (all) =>
        all.at(-1)?.endsWith(place) === true &&
        serversOf(all).length === 3 &&
        !all.join("\n").includes("Stopped"),
      `the rows at ${place}`,
    );
    expect(lines[0]).toStartWith("ayaflow top ");
    expect(await terminal.modes()).toEqual({ isAlternate: true, isCursorShown: false });
  };
  await terminal.run(TOP);
  await full("1/3");
  const stops = [
    { how: "Ctrl-Z", stop: () => terminal.keys("C-z") },
    { how: "Ctrl-Z in the filter line", stop: () => terminal.keys("/", "C-z") },
    { how: "SIGTSTP", stop: signal("SIGTSTP") },
  ];
  for (const [index, { how, stop }] of stops.entries()) {
    await stop();
    const lines = await terminal.shows("Stopped");
    expect(serversOf(lines), how).toEqual([]);
    expect(await terminal.modes(), how).toEqual({ isAlternate: false, isCursorShown: true });
    expect(await settings(`stopped-${index}`), how).toBe(before);
    await terminal.run("clear; fg");
    await full("1/3");
    await terminal.keys("Escape");
    await terminal.until((all) => !all.join("\n").includes("Filter:"), "the rows alone");
    await terminal.keys("Down");
    await full("2/3");
    await terminal.keys("Up");
  }
  // Not told, it can only put right what the shell did.
  await signal("SIGSTOP")();
  await terminal.shows("Stopped");
  await terminal.run("fg");
  await full("1/3");
  await terminal.keys("Down");
  await full("2/3");
  await terminal.keys("Up");
  await terminal.resize(100, 30);
  await terminal.keys("C-z");
  await terminal.shows("Stopped");
  await terminal.resize(80, 20);
  // In the background it must not touch the terminal.
  await terminal.run("clear; bg; echo in-the-background");
  await terminal.shows(/^in-the-background$/m);
  await terminal.run("jobs; echo jobs-$((40 + 2))");
  await terminal.until((lines) => lines.includes("jobs-42"), "the jobs");
  expect(await terminal.modes()).toEqual({ isAlternate: false, isCursorShown: true });
  await terminal.run("fg");
  await full("1/3");
  await terminal.keys("C-z");
  await terminal.shows("Stopped");
  await terminal.run("clear; kill %1");
  await waitFor(async () => {
    // The shell tells of its jobs when it is asked for the next line.
    await terminal.keys("Enter");
    return (await terminal.lines()).some((line) => line.includes("Terminated"));
  }, "it did not end");
  expect(await settings("killed")).toBe(before.replace("rows 24", "rows 20"));
  // All of its job is stopped, else the shell would go on waiting.
  await terminal.run(`clear; sh -c '${TOP}; true'`);
  await full("1/3");
  await terminal.keys("C-z");
  await terminal.shows("Stopped");
  await terminal.run("clear; fg");
  await full("1/3");
});

test("a signal while it starts leaves the terminal sane, at whatever moment it comes", async () => {
  await using lab = await createLab();
  await using _agent = await startAgent(lab.server, lab.folder, { args: AGENT_ARGS });
  await using terminal = await openTerminal(lab);
  await terminal.run(`stty -a > ${lab.path("before")}`);
  const delays = Array.from({ length: 20 }, (_, index) => (0.02 * (index + 1)).toFixed(2));
  await terminal.run(
    `for s in ${delays.join(" ")}; do timeout --foreground $s ${TOP}; done; stty -a > ${lab.path("after")}; echo all-$((40 + 2))`,
  );
  await terminal.shows("all-42", 60_000);
  expect(await terminal.modes()).toEqual({ isAlternate: false, isCursorShown: true });
  expect(await readFile(lab.path("after"), "utf8")).toBe(await readFile(lab.path("before"), "utf8"));
});

test("without UTF-8 and without colours", async () => {
  await using lab = await createLab();
  await using _agent = await watchDownloads(lab);
  const sent = lab.path("sent");
  for (const env of [
    { LANG: "C", NO_COLOR: "1" },
    { LANG: "C", TERM: "vt100" },
  ]) {
    await using terminal = await openTerminal(lab, { env });
    await terminal.record(sent);
    await terminal.run(TOP);
    await terminal.shows("1/3");
    await terminal.keys("s");
    await terminal.shows("vSENT");
    expect(serversOf(await terminal.lines()).length).toBe(3);
    // No colours but the default ones: 39 and 49.
    const painted = await terminal.painted();
    expect(painted).toContain("\u001b[");
    expect(painted.replaceAll("\u001b[", "\u2190")).not.toMatch(/\u2190(?:\d+;)*(?:[34][0-8]|9\d|10\d)[;m]/);
    await terminal.keys("q");
    await terminal.until((lines) => lines.join("\n").trim().endsWith("$"), "the prompt");
    const bytes = await readFile(sent);
    expect(bytes.filter((byte) => byte > 0x7e)).toBeEmpty();
  }
  await using coloured = await openTerminal(lab);
  await coloured.run(TOP);
  await coloured.shows("1/3");
  expect((await coloured.painted()).replaceAll("\u001b[", "\u2190")).toMatch(/\u2190(?:\d+;)*3[0-8][;m]/);
});

test("what cannot work says so and touches no terminal", async () => {
  await using lab = await createLab();
  await Bun.write(lab.path("token"), "a-token-of-the-lab-0123456789\n");
  await using _agent = await startAgent(lab.server, lab.folder, {
    args: [...AGENT_ARGS, "--api-token-file", lab.path("token"), "--health-public"],
  });
  await using terminal = await openTerminal(lab);
  await terminal.record(lab.path("sent"));
  const cases = [
    { line: `TERM=dumb ${TOP}`, says: 'a terminal of type "dumb"', exitCode: 2 },
    { line: `${TOP} < /dev/null`, says: "stdin is not a terminal", exitCode: 2 },
    { line: `${TOP} | cat; (exit \${PIPESTATUS[0]})`, says: "stdout is not a terminal", exitCode: 2 },
    { line: `${TOP} prt 80`, says: "did you mean port?", exitCode: 2 },
    {
      line: `${BINARY} top --url http://127.0.0.1:9`,
      says: "does not answer: connection refused",
      exitCode: 1,
    },
    { line: TOP, says: "wants its token", exitCode: 1 },
    {
      line: `AYAFLOW_API_TOKEN=wrong-token-0123456789 ${TOP}`,
      says: "does not take this token",
      exitCode: 1,
    },
  ];
  for (const [index, { line, says, exitCode }] of cases.entries()) {
    await terminal.run("clear");
    // Numbered: what stood there before may not be cleared yet.
    await terminal.run(`${line}; echo "exit code $? of ${index}"`);
    const lines = await terminal.shows(new RegExp(`^exit code \\d+ of ${index}$`, "m"));
    const text = lines.join(" ").replaceAll(/\s+/g, " ");
    expect(text).toContain(`exit code ${exitCode} of ${index}`);
    expect(text).toContain(says);
  }
  expect(await readFile(lab.path("sent"), "utf8")).not.toContain("\u001b[?1049h");
  await terminal.run(`clear; ${TOP} --token-file ${lab.path("token")}`);
  await terminal.shows("Counts 100%");
});

test("an agent that goes away is missed, and found again", async () => {
  await using lab = await createLab();
  const agent = await startAgent(lab.server, lab.folder, { args: AGENT_ARGS });
  await using terminal = await openTerminal(lab);
  await terminal.run(TOP);
  await terminal.shows("Counts 100%");
  await agent.stop();
  await terminal.shows(/No answer since \d\d:\d\d:\d\d: connection refused; still trying\./);
  await using _again = await startAgent(lab.server, lab.folder, { args: AGENT_ARGS, dbPath: agent.dbPath });
  await terminal.shows("Counts 100%");
  await lab.client.exec(["ping", "-c", "2", "-i", "0.05", lab.server.ipv4]);
  await terminal.shows(/^›10\.77\.0\.1 +10\.77\.0\.2 +ICMP/m);
  await terminal.keys("q");
  await waitFor(async () => !(await terminal.modes()).isAlternate, "it did not quit");
});
