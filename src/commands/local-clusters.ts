import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "../base/errors.ts";
import { readState } from "../local/state.ts";
import { stopCluster } from "../local/stop.ts";
import { removeFrom } from "./merge-kubeconfig.ts";

/** A cluster's name as it stands in paths and in the names of objects. */
export function clusterName(text: string | undefined): string {
  const name = text ?? "mesh";
  if (/^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(`--name ${name} cannot name a cluster`, "use lower-case letters, digits and dashes, at most 32");
}

/** Ends the cluster of a state folder and takes it out of the user's kubeconfig. */
export async function endCluster(directory: string): Promise<boolean> {
  const state = await readState(directory);
  if (state?.merged !== undefined) {
    const text = await readFile(state.kubeconfig, "utf8").catch(() => "");
    if (text !== "") await removeFrom(state.merged, text);
  }
  const outside = state !== undefined && dirname(state.kubeconfig) !== directory;
  const found = await stopCluster(directory);
  if (outside) await rm(state.kubeconfig, { force: true });
  return found;
}

/** As many clusters of one group as there are ranges of addresses for. */
export const MOST_CLUSTERS = 5;

/** Names of the clusters of a group, in order. */
export function memberNames(group: string, count = MOST_CLUSTERS): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${group}-${index + 1}`);
}
