import type { Layer } from "./layer.ts";
import { envName, OPTION_KEYS, optionOf } from "./options.ts";
import { didYouMean } from "./suggest.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export const CONFIG_VARIABLE = "AYAFLOW_CONFIG";
export const TOKEN_VARIABLE = "AYAFLOW_API_TOKEN";

const PREFIX = "AYAFLOW_";
const KEY_OF = new Map(OPTION_KEYS.map((key) => [envName(key), key]));
const KNOWN = [...KEY_OF.keys(), CONFIG_VARIABLE, TOKEN_VARIABLE].map((name) => name.slice(PREFIX.length));

/** The names Kubernetes derives from a Service called ayaflow or ayaflow-…, as Docker's links did. */
const SERVICE_NAME =
  /^AYAFLOW_(?:.+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const SERVICE_PORT_NAME = /^AYAFLOW_(?:.+_)?PORT$/;
const SERVICE_URL = /^(?:tcp|udp|sctp):\/\//;

function isServiceVariable(name: string, value: string): boolean {
  return SERVICE_NAME.test(name) || (SERVICE_PORT_NAME.test(name) && SERVICE_URL.test(value));
}

/** What the AYAFLOW_* variables say. An empty variable is one not set, unless it guards the API. */
export function readEnvironment(env: Environment): {
  layer: Layer;
  config: string | undefined;
  token: string | undefined;
  problems: string[];
  warnings: string[];
} {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  const ofServices: string[] = [];
  for (const [name, value] of Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(PREFIX) || value === undefined) continue;
    const key = KEY_OF.get(name);
    if (isServiceVariable(name, value)) ofServices.push(name);
    else if (key !== undefined) {
      if (value !== "" || optionOf(key).protects === true) values[key] = value;
    } else if (name !== CONFIG_VARIABLE && name !== TOKEN_VARIABLE) {
      problems.push(
        `${name}: unknown environment variable${didYouMean(name.slice(PREFIX.length), KNOWN, PREFIX)}`,
      );
    }
  }
  const warnings =
    ofServices.length === 0
      ? []
      : [
          `ignored ${ofServices.join(", ")}, which Kubernetes sets for a Service of this name; ` +
            "enableServiceLinks: false in the pod stops that",
        ];
  return {
    layer: { source: "env", file: null, values },
    config: env[CONFIG_VARIABLE] === "" ? undefined : env[CONFIG_VARIABLE],
    token: env[TOKEN_VARIABLE],
    problems,
    warnings,
  };
}
