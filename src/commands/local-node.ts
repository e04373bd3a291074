import { runDaemon } from "../local/daemon.ts";
import { textLogger } from "../local/text-log.ts";
import type { CommandRun } from "./io.ts";

/** The process behind `meshctl up`; started by it alone. Its log is for people: node.log, or the terminal with --foreground. */
export const run: CommandRun = async (_input, io) => {
  await runDaemon(textLogger(io.err, io.now));
  return { exitCode: 0 };
};
