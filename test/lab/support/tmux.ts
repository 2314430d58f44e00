/** A terminal of tmux with a shell in it, in the namespace of one end of a lab. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { End } from "./lab.ts";
import { nextNumber } from "./namespace.ts";
import type { ExecResult } from "./process.ts";
import { waitFor } from "./wait.ts";

const PROMPT = "$ ";
const ENVIRONMENT = { TERM: "xterm-256color", LANG: "C.UTF-8", PS1: PROMPT, HOME: "/nonexistent" };

export interface TmuxOptions {
  columns?: number;
  rows?: number;
  /** Over TERM=xterm-256color and LANG=C.UTF-8; nothing of this process's own environment but PATH is there. */
  env?: Record<string, string>;
}

/** One tmux server with one window. */
export class Tmux implements AsyncDisposable {
  private constructor(
    private readonly end: End,
    private readonly socket: string,
  ) {}

  /** Opens a terminal of 80 columns and 24 rows unless given. `folder` is the lab's. */
  static async open(end: End, folder: string, options: TmuxOptions = {}): Promise<Tmux> {
    const { columns = 80, rows = 24, env = {} } = options;
    const terminal = new Tmux(end, join(folder, `tmux-${nextNumber()}.sock`));
    const variables = Object.entries({ ...ENVIRONMENT, PATH: process.env.PATH ?? "", ...env });
    const shell = ["env", "-i", ...variables.map(([name, value]) => `${name}=${value}`)];
    const size = ["-x", String(columns), "-y", String(rows)];
    await terminal.tmux("new-session", "-d", ...size, ...shell, "bash", "--norc", "--noprofile");
    await terminal.shows(PROMPT.trim());
    return terminal;
  }

  private async tmux(...args: string[]): Promise<ExecResult> {
    return await this.end.exec(["tmux", "-u", "-S", this.socket, "-f", "/dev/null", ...args]);
  }

  /** The lines on the screen, without the spaces at their ends. */
  async lines(): Promise<string[]> {
    const { stdout } = await this.tmux("capture-pane", "-p");
    return stdout.split("\n").slice(0, -1);
  }

  /** The screen as one text, attributes as escape sequences. */
  async painted(): Promise<string> {
    return (await this.tmux("capture-pane", "-p", "-e")).stdout;
  }

  /** Keys as tmux calls them, such as `Enter`, `PageDown`, `C-c`. */
  async keys(...names: string[]): Promise<void> {
    await this.tmux("send-keys", ...names);
  }

  /** Text as it is typed. */
  async type(text: string): Promise<void> {
    await this.tmux("send-keys", "-l", "--", text);
  }

  /** Types a command line and Enter. */
  async run(command: string): Promise<void> {
    await this.type(command);
    await this.keys("Enter");
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Writes all that the pane is sent from now on into a file. */
  async record(file: string): Promise<void> {
    await this.tmux("pipe-pane", `cat > ${file}`);
  }

  /** What tmux knows of the terminal. */
  async modes(): Promise<{ isAlternate: boolean; isCursorShown: boolean }> {
    const { stdout } = await this.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}");
    return { isAlternate: stdout.startsWith("1"), isCursorShown: stdout.trim().endsWith("1") };
  }

  /** The process that the shell runs in the foreground. */
  async foreground(): Promise<number> {
    const { stdout } = await this.tmux("display-message", "-p", "#{pane_pid}");
    const shell = stdout.trim();
    return await waitFor(() => {
      const children = readFileSync(`/proc/${shell}/task/${shell}/children`, "utf8").trim().split(" ");
      return Number(children[0]);
    }, "the shell runs nothing");
  }

  /** Waits until the screen holds a text or matches, and gives its lines. */
  async shows(wanted: string | RegExp, timeoutMs?: number): Promise<string[]> {
    return await this.until(
      (lines) => {
        const text = lines.join("\n");
        return typeof wanted === "string" ? text.includes(wanted) : wanted.test(text);
      },
      String(wanted),
      timeoutMs,
    );
  }

  /** Waits until the screen is as `isThere` says, and gives its lines. */
  async until(isThere: (lines: string[]) => boolean, what: string, timeoutMs?: number): Promise<string[]> {
    let lines: string[] = [];
    return await waitFor(
      async () => {
        lines = await this.lines();
        return isThere(lines) ? lines : null;
      },
      () => `the screen never showed ${what}; it shows:\n${lines.join("\n")}`,
      timeoutMs,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tmux("kill-server");
  }
}
