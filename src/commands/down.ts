import { textOption } from "./input.ts";
import type { CommandRun } from "./io.ts";
import { clusterName, endCluster } from "./up.ts";
import { readState, stateDir } from "../local/state.ts";

/** Ends a local cluster and removes every trace of it; also one that was killed. */
export const run: CommandRun = async (input, io) => {
  const name = clusterName(textOption(input, "name"));
  const directory = stateDir(io.env, name);
  const state = await readState(directory);
  const found = await endCluster(directory);
  io.out(found ? `cluster ${state?.name ?? name} is down\n` : `there is no cluster ${name}\n`);
  return { exitCode: 0 };
};
