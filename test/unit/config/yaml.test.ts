import { describe, expect, test } from "bun:test";
import type { Files } from "../../../src/config/files.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { UsageError } from "../../../src/errors.ts";
import { Folder, problemsOf } from "./setup.ts";

describe("syntax errors name the file and the position", () => {
  test.each([
    ["port: 1\nlisten: ::1\n  quiet: true\n", "FILE: not valid YAML at line 3, column 8: Unexpected token"],
    ["port: 1\n\tquiet: true\n", "FILE: not valid YAML at line 2, column"],
    ["interface: [eth0\n", "FILE: not valid YAML at line"],
    ["port: *nothing\n", "FILE: not valid YAML at line 1, column"],
  ])("%p", async (yaml, message) => {
    const problems = await problemsOf({ yaml });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toStartWith(message);
  });
});

test.each(["- port\n", "port\n", "7\n", "a: 1\n---\nb: 2\n"])("%p is not a mapping", async (yaml) => {
  expect(await problemsOf({ yaml })).toEqual([
    'FILE: must be one mapping of keys to values, for example "port: 3000"',
  ]);
});

test("unknown keys", async () => {
  expect(
    await problemsOf({ yaml: "colour: 1\ndb-path: x\n__proto__: 1\nconstructor: 2\napi_token: s3cret\n" }),
  ).toEqual([
    "FILE: colour: unknown key",
    "FILE: db-path: unknown key; did you mean db_path?",
    "FILE: __proto__: unknown key",
    "FILE: constructor: unknown key",
    "FILE: api_token: unknown key; write the token into a file of its own and name that in api_token_file",
  ]);
});

test("a key given twice", async () => {
  expect(await problemsOf({ yaml: 'port: 1\nquiet: true\n"port": 2\n' })).toEqual([
    "FILE: port: stands there more than once; keep one",
  ]);
});

describe("files that cannot be read", () => {
  const problems = async (path: string, env: Record<string, string> = {}) => {
    try {
      await loadConfig({ flags: env.AYAFLOW_CONFIG === undefined ? { config: path } : {}, env });
    } catch (error) {
      if (error instanceof UsageError) return error.problems;
      throw error;
    }
    return [];
  };

  test("missing, a folder, too large, and named by a variable", async () => {
    using folder = new Folder();
    const missing = `${folder.path}/none.yaml`;
    expect(await problems(missing)).toEqual([`--config: cannot read "${missing}": no such file`]);
    expect(await problems(folder.path)).toEqual([`--config: cannot read "${folder.path}": it is a folder`]);
    expect(await problems("/dev/zero")).toEqual([
      '--config: cannot read "/dev/zero": it is larger than 1 MiB',
    ]);
    expect(await problems("", { AYAFLOW_CONFIG: missing })).toEqual([
      `AYAFLOW_CONFIG: cannot read "${missing}": no such file`,
    ]);
  });

  test("no permission", async () => {
    const files: Files = {
      read() {
        throw Object.assign(new Error("EACCES: permission denied, open"), { code: "EACCES" });
      },
    };
    const loading = loadConfig({ flags: { config: "/etc/a.yaml" }, env: {}, files });
    expect(await loading.catch((error: unknown) => error)).toMatchObject({
      problems: ['--config: cannot read "/etc/a.yaml": no permission to read it'],
    });
  });
});
