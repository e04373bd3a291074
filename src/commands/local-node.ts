import { pino } from "pino";
import { runDaemon } from "../local/main.ts";
import type { CommandRun } from "./io.ts";

/** The process behind `meshctl up`; started by it alone. */
export const run: CommandRun = async () => {
  await runDaemon(pino({ level: "info", timestamp: pino.stdTimeFunctions.isoTime }));
  return { exitCode: 0 };
};
