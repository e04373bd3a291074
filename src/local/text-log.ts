import type { Logger } from "../base/logger.ts";

/** A log for people: `12:30:05 warn  status not written (pod=web-1, error=…)`, one line each. Debug is left out. */
export function textLogger(write: (line: string) => void, now: () => Date): Logger {
  const at =
    (level: string) =>
    (fields: Readonly<Record<string, unknown>>, message: string): void => {
      const time = now().toTimeString().slice(0, 8);
      const pairs = Object.entries(fields).map(([key, value]) => `${key}=${words(value)}`);
      write(`${time} ${level} ${message}${pairs.length === 0 ? "" : ` (${pairs.join(", ")})`}\n`);
    };
  return { debug() {}, info: at("info "), warn: at("warn "), error: at("error") };
}

function words(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : JSON.stringify(value);
}
