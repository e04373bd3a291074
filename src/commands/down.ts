import { textOption } from "./input.ts";
import type { CommandRun, Io } from "./io.ts";
import { clusterName, endCluster, memberNames } from "./local-clusters.ts";
import { readState, stateDir } from "../local/state.ts";

/** Ends a local cluster and removes every trace of it; also one that was killed. */
export const run: CommandRun = async (input, io) => {
  const name = clusterName(textOption(input, "name"));
  const directory = stateDir(io.env, name);
  const state = await readState(directory);
  const found = await endCluster(directory);
  const members = found ? [] : await endMembers(name, io);
  if (members.length > 0) io.out(`clusters ${members.join(", ")} are down\n`);
  else io.out(found ? `cluster ${state?.name ?? name} is down\n` : `there is no cluster ${name}\n`);
  return { exitCode: 0 };
};

/** Ends what `meshctl up --clusters` started under a name; the names of those that were there. */
async function endMembers(group: string, io: Io): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const name of memberNames(group)) if (await endCluster(stateDir(io.env, name))) ended.push(name);
  return ended;
}
