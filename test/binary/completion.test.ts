/** The completion scripts in the shells themselves. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINARY } from "../lab/support/agent.ts";
import { exec } from "../lab/support/process.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ayaflow-completion-"));
  await symlink(BINARY, join(folder, "ayaflow"));
  await writeFile(join(folder, "file one.yaml"), "");
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const inShell = (shell: readonly string[], script: string) =>
  exec([...shell, "-c", script], { env: { PATH: `${folder}:${process.env.PATH}`, HOME: folder } });

/** Sets the variables as readline does for a line of these pieces (split at = and : as well), and asks the function. */
async function bash(line: string, pieces: readonly string[]): Promise<string[]> {
  const words = pieces.map((piece) => `'${piece.replaceAll("'", String.raw`'\''`)}'`).join(" ");
  const { stdout, stderr } = await inShell(
    ["bash", "--norc", "--noprofile"],
    `cd ${folder}
     source <(ayaflow completion bash)
     COMP_WORDS=(${words}) COMP_CWORD=${pieces.length - 1}
     COMP_LINE='${line.replaceAll("'", String.raw`'\''`)}' COMP_POINT=${line.length}
     _ayaflow
     printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
  expect(stderr).toBe("");
  return stdout.split("\n").filter((one) => one !== "");
}

describe("bash", () => {
  test.each([
    ["ayaflow hi", ["ayaflow", "hi"], ["history"]],
    ["ayaflow history po", ["ayaflow", "history", "po"], ["port", "portrange"]],
    ["ayaflow   history  port 443 an", ["ayaflow", "history", "port", "443", "an"], ["and"]],
    [
      "ayaflow history 'port 443 and dom",
      ["ayaflow", "history", "'port 443 and dom"],
      ["port 443 and domain"],
    ],
    ["ayaflow history --order=retr", ["ayaflow", "history", "--order", "=", "retr"], ["retransmits"]],
    ["ayaflow history --order=", ["ayaflow", "history", "--order", "="], ["bytes", "packets"]],
    ["ayaflow history --by client,serv", ["ayaflow", "history", "--by", "client,serv"], ["client,server"]],
    ["ayaflow history --since -1h --un", ["ayaflow", "history", "--since", "-1h", "--un"], ["--until"]],
    ["ayaflow history bytes ", ["ayaflow", "history", "bytes", ""], [String.raw`\>`, String.raw`\<`]],
    ["ayaflow -c file", ["ayaflow", "-c", "file"], ["file one.yaml"]],
    ["ayaflow --config=file", ["ayaflow", "--config", "=", "file"], ["file one.yaml"]],
    [
      "ayaflow history host 2001:db8::1 an",
      ["ayaflow", "history", "host", "2001", ":", "db8", "::", "1", "an"],
      ["and"],
    ],
  ])("%s", async (line, pieces, expected) => {
    const found = await bash(line, pieces);
    expect(found).toEqual(expect.arrayContaining(expected) as never);
  });

  test("completes nothing where nothing is known", async () => {
    expect(await bash("ayaflow history --top ", ["ayaflow", "history", "--top", ""])).toEqual([]);
  });

  test("through readline, with the keys of a person", async () => {
    const typed = String.raw`source <(ayaflow completion bash)\nayaflow comp\t fis\t | head -1\nexit\n`;
    const { stdout } = await inShell(
      ["bash"],
      `printf '${typed}' | script -qec 'bash --norc --noprofile -i' /dev/null`,
    );
    expect(stdout).toContain("# fish completion of ayaflow.");
  });
});

test("zsh takes its script", async () => {
  const { stdout } = await inShell(
    ["zsh", "-f"],
    "autoload -Uz compinit && compinit -D -u; source <(ayaflow completion zsh); echo $_comps[ayaflow]",
  );
  expect(stdout.trim()).toBe("_ayaflow");
});

test("fish completes", async () => {
  const { stdout } = await inShell(
    ["fish", "--no-config"],
    "ayaflow completion fish | source; complete -C 'ayaflow hi'",
  );
  expect(stdout).toMatch(/^history\t/);
});
