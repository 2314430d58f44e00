import { toYaml } from "../src/cli/config-check.ts";
import { defaultText, envName, OPTION_KEYS, type OptionKey, optionOf } from "../src/config/options.ts";
import { wrap } from "./words.ts";

const HEAD = `# Configuration of AyaFlow (see ayaflow(1)). Every line below shows a default; to change one, take away its first #.
# "ayaflow config check -c" and this file's path show what is in force, or what is wrong.
# "systemctl reload ayaflow" takes most changes, and says which need a restart.
`;

/** A default in the words that people write, where the option's own check takes them for the same: 7d, 1GiB. */
function defaultYaml(key: OptionKey): string {
  const { default: value, schema } = optionOf(key);
  const words = defaultText(key);
  const read = schema.safeParse(words);
  const isSame = read.success && Bun.deepEquals(read.data, value);
  return isSame && typeof value === "number" ? words : toYaml(key, value);
}

/** /etc/ayaflow/ayaflow.yaml: every option with its default, commented out. */
export function configFile(): string {
  let group = "";
  let text = HEAD;
  for (const key of OPTION_KEYS) {
    const option = optionOf(key);
    if (option.group === "Compatibility") continue;
    if (option.group !== group) text += `\n# --- ${option.group} ---\n`;
    group = option.group;
    const help = `${option.help} (${envName(key)})`;
    text += `\n${wrap(help, 98)
      .map((line) => `# ${line}\n`)
      .join("")}#${key}: ${defaultYaml(key)}\n`;
  }
  return text;
}
