import { errorMessage } from "../errors.ts";
import { type Files, readFailure } from "./files.ts";
import { type Layer, showValue } from "./layer.ts";
import { isOptionKey, OPTION_KEYS, optionOf } from "./options.ts";
import { didYouMean } from "./suggest.ts";

interface Found {
  layer: Layer;
  problems: string[];
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `line 3, column 4`. Bun.YAML.parse gives no position, Bun's loader for YAML modules does. */
async function errorPosition(text: string): Promise<string | undefined> {
  const url = `data:text/yaml;base64,${Buffer.from(text).toString("base64")}`;
  try {
    await import(url, { with: { type: "yaml" } });
  } catch (error) {
    if (error instanceof BuildMessage && error.position !== null) {
      return `line ${error.position.line}, column ${error.position.column}`;
    }
  }
  return undefined;
}

/** Keys of the outermost mapping that stand there twice; the parser would take the last in silence. */
function repeatedKeys(text: string): string[] {
  const keys = [...text.matchAll(/^["']?([A-Za-z_][\w-]*)["']?[ \t]*:(?=\s|$)/gm)].map(
    (match) => match[1] ?? "",
  );
  return [...new Set(keys.filter((key, index) => keys.indexOf(key) !== index))];
}

function unknownKey(path: string, key: string): string {
  if (key === "api_token") {
    return `${path}: api_token: unknown key; write the token into a file of its own and name that in api_token_file`;
  }
  return `${path}: ${showValue(key).slice(1, -1)}: unknown key${didYouMean(key, OPTION_KEYS)}`;
}

function readMapping(path: string, mapping: Record<string, unknown>): Found {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [key, value] of Object.entries(mapping)) {
    if (!isOptionKey(key)) problems.push(unknownKey(path, key));
    else if (value !== null) values[key] = value;
    else if (optionOf(key).yamlNull !== undefined) values[key] = optionOf(key).yamlNull;
  }
  return { layer: { source: "file", file: path, values }, problems };
}

/**
 * What the YAML file at `path` says, and a line for each problem with the file or its keys; the values are not
 * checked yet. `namedBy` is the flag or variable that gave the path. A key with null is a key not given.
 */
export async function readConfigFile(path: string, namedBy: string, files: Files): Promise<Found> {
  const failed = (problem: string): Found => ({
    layer: { source: "file", file: path, values: {} },
    problems: [problem],
  });
  let text: string;
  try {
    text = files.read(path).text;
  } catch (error) {
    return failed(`${namedBy}: cannot read ${showValue(path)}: ${readFailure(error)}`);
  }
  let content: unknown;
  try {
    content = Bun.YAML.parse(text);
  } catch (error) {
    const position = await errorPosition(text);
    const reason = errorMessage(error).replace(/^YAML Parse error: /, "");
    return failed(`${path}: not valid YAML${position === undefined ? "" : ` at ${position}`}: ${reason}`);
  }
  if (content === null || content === undefined) return { ...failed(""), problems: [] };
  if (!isMapping(content)) {
    return failed(`${path}: must be one mapping of keys to values, for example "port: 3000"`);
  }
  const found = readMapping(path, content);
  const repeated = repeatedKeys(text).map((key) => `${path}: ${key}: stands there more than once; keep one`);
  return { layer: found.layer, problems: [...found.problems, ...repeated] };
}
