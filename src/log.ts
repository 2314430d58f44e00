export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** A structured logger: one line a record, to standard error. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

// Control characters could rewrite a terminal; JSON.stringify leaves C1 and DEL alone.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** `text` with every control character as \u00XX, safe for a terminal. */
export function escapeControl(text: string): string {
  return text.replace(CONTROL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function formatText(level: LogLevel, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const text = String(value);
      return `${key}=${/[\s"=]/.test(text) ? JSON.stringify(text) : text}`;
    });
  const line = [new Date().toISOString(), level.toUpperCase().padEnd(5), message, ...pairs].join(" ");
  return escapeControl(line);
}

function formatJson(level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
}

export interface LogSettings {
  /** Records at this level and graver are written. */
  level: LogLevel;
  format: LogFormat;
}

/** A logger for records at `level` and graver; `write` gets whole lines. */
export function createLogger(level: LogLevel, format: LogFormat, write?: (line: string) => void): Logger {
  const settings = { level, format };
  return createLiveLogger(() => settings, write);
}

/** A logger that obeys what `settings` says at each record. */
export function createLiveLogger(
  settings: () => LogSettings,
  write: (line: string) => void = (line) => process.stderr.write(line),
): Logger {
  const at =
    (own: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      const { level, format } = settings();
      if (LOG_LEVELS.indexOf(own) > LOG_LEVELS.indexOf(level)) return;
      write(`${format === "json" ? formatJson(own, message, fields) : formatText(own, message, fields)}\n`);
    };
  return { error: at("error"), warn: at("warn"), info: at("info"), debug: at("debug") };
}
