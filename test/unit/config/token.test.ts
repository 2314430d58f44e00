import { describe, expect, test } from "bun:test";
import { Folder, load, problemsOf } from "./setup.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const OTHER = "fedcba9876543210fedcba9876543210";

test("the token of a file, without the newline", async () => {
  using folder = new Folder();
  const path = folder.write("token", `${TOKEN}\n`);
  for (const given of [
    { flags: { api_token_file: path } },
    { env: { AYAFLOW_API_TOKEN_FILE: path } },
    { yaml: `api_token_file: ${path}` },
  ]) {
    const { config, warnings } = await load(given);
    expect(config.apiToken).toBe(TOKEN);
    expect(warnings).toEqual([]);
  }
});

describe("precedence", () => {
  test("a flag goes over the variable, the variable over the file's key", async () => {
    using folder = new Folder();
    const path = folder.write("token", TOKEN);
    const env = { AYAFLOW_API_TOKEN: OTHER };
    const flagged = await load({ flags: { api_token_file: path }, env });
    expect(flagged.config.apiToken).toBe(TOKEN);
    expect(flagged.sources.api_token).toBe("flag");
    const direct = await load({ env, yaml: `api_token_file: ${path}` });
    expect(direct.config.apiToken).toBe(OTHER);
    expect(direct.sources.api_token).toBe("env");
  });

  test("both variables at once are a contradiction", async () => {
    using folder = new Folder();
    const env = { AYAFLOW_API_TOKEN: TOKEN, AYAFLOW_API_TOKEN_FILE: folder.write("token", OTHER) };
    expect(await problemsOf({ env })).toEqual([
      "AYAFLOW_API_TOKEN: AYAFLOW_API_TOKEN_FILE is set as well; keep one of the two",
    ]);
  });
});

test("a file that gives no token is an error: the API must not stay open unnoticed", async () => {
  using folder = new Folder();
  const missing = `${folder.path}/none`;
  const empty = folder.write("empty", " \n");
  const twoLines = folder.write("two", "abc\ndef\n");
  const of = (path: string) => problemsOf({ flags: { api_token_file: path } });
  expect(await of(missing)).toEqual([`--api-token-file: cannot read "${missing}": no such file`]);
  expect(await of(folder.path)).toEqual([`--api-token-file: cannot read "${folder.path}": it is a folder`]);
  expect(await of(empty)).toEqual([
    `--api-token-file: "${empty}" is empty; put a token there, for example from "openssl rand -hex 32"`,
  ]);
  expect(await of(twoLines)).toEqual([
    `--api-token-file: "${twoLines}" is not a token; give one line of at most 1024 visible ASCII characters, no blanks`,
  ]);
});

test("no message shows the token", async () => {
  const [problem] = await problemsOf({ env: { AYAFLOW_API_TOKEN: "geheim\u00fc" } });
  expect(problem).toStartWith("AYAFLOW_API_TOKEN: the value is not a token;");
  expect(problem).not.toContain("geheim");
});

test("warnings: readable by everyone, short", async () => {
  using folder = new Folder();
  const path = folder.write("token", "short", 0o644);
  const { warnings } = await load({ yaml: `api_token_file: ${path}` });
  expect(warnings.map((warning) => warning.replaceAll(/\/tmp\/[\w-]+/g, "/tmp"))).toEqual([
    '/tmp/ayaflow.yaml: api_token_file: "/tmp/token" is easy to guess; use at least 16 random characters',
    '/tmp/ayaflow.yaml: api_token_file: "/tmp/token" can be read by everyone on this host; chmod 600 it',
  ]);
  const group = folder.write("group", TOKEN, 0o640);
  expect((await load({ flags: { api_token_file: group } })).warnings).toEqual([]);
});
