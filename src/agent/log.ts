import { writeSync } from "node:fs";
import type { Logger } from "../base/logger.ts";
import type { LogLevel } from "./health.ts";

/** The numbers of the field's standard log format (pino's). */
const LEVELS: Readonly<Record<string, number>> = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  fatal: 60,
  silent: Number.POSITIVE_INFINITY,
};

export interface AgentLog {
  readonly log: Logger;
  readonly level: LogLevel;
}

/** Where lines go, and the time; tests hand in recorders. */
export interface LogIo {
  readonly write: (line: string) => void;
  readonly now: () => Date;
}

/**
 * One JSON object a line, in the form that meshd's library writes; the library itself is a megabyte of each pod
 * (docs/internals/agent-memory.md). `levelFor` turns the names of `--log_output_level` into level names, undefined for none.
 */
export function createLog(
  first: string,
  levelFor: (name: string) => string | undefined,
  io: LogIo = TO_STDERR,
): AgentLog {
  let level = first;
  const at =
    (name: string) =>
    (fields: Readonly<Record<string, unknown>>, msg: string): void => {
      const number = LEVELS[name] ?? 0;
      if (number < (LEVELS[level] ?? 0)) return;
      io.write(`${JSON.stringify({ level: number, time: io.now().toISOString(), ...fields, msg })}\n`);
    };
  return {
    log: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") },
    level: {
      get: () => level,
      set(name) {
        const next = levelFor(name);
        level = next ?? level;
        return next !== undefined;
      },
    },
  };
}

const STDERR = 2;
/** How often a line is tried when nobody empties the pipe; then it is lost, and the agent goes on. */
const TRIES = 100;

const TO_STDERR: LogIo = { write: writeLine, now: () => new Date() };

function writeLine(line: string): void {
  let rest = Buffer.from(line);
  for (let tries = 0; tries < TRIES && rest.length > 0; tries++) {
    try {
      rest = rest.subarray(writeSync(STDERR, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
