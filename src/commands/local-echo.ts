import { serveEcho } from "../local/node/echo.ts";
import type { CommandRun } from "./io.ts";

/** What hashicorp/http-echo and unknown images are on the local cluster. */
export const run: CommandRun = async (input, io) => {
  await serveEcho({ args: input.args, env: io.env, out: io.out, signal: io.signal });
  return { exitCode: 0 };
};
