import { setTimeout as delay } from "node:timers/promises";
import { type InjectedPod, readRevisions } from "../install/revisions.ts";
import { words } from "../install/tag-plan.ts";
import { createProgress } from "../report/progress.ts";
import { table } from "../report/table.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import type { Io } from "./io.ts";

/** Who is waited for, and how long. */
export interface WaitMovedOptions {
  readonly namespace: string;
  /** Pods that still have a proxy of before. */
  readonly isBehind: (pod: InjectedPod) => boolean;
  /** Zero: look once. */
  readonly timeoutMs: number;
}

const POLL_MS = 500;

/**
 * Waits until no running pod is behind; says while it waits how many are. The result is who still is when time is over: none when
 * all have moved. Pods move when they are created anew; nothing here restarts them.
 */
export async function waitMoved(
  cluster: ClusterReader,
  { namespace, isBehind, timeoutMs }: WaitMovedOptions,
  io: Io,
): Promise<readonly InjectedPod[]> {
  const until = performance.now() + timeoutMs;
  const read = async (): Promise<readonly InjectedPod[]> =>
    (await readRevisions(cluster, namespace)).pods.filter(isBehind);
  let behind = await read();
  if (behind.length === 0 || timeoutMs === 0) return behind;
  const progress = await createProgress(io);
  const title = (): string => `${words(behind.length, "pod")} to be restarted: ${some(behind)}`;
  progress.start(title());
  while (behind.length > 0 && performance.now() < until) {
    await delay(POLL_MS, undefined, { signal: io.signal });
    behind = await read();
    progress.update(title());
  }
  if (behind.length === 0) progress.succeed("every pod has moved");
  else progress.fail(`not every pod has moved within ${Math.round(timeoutMs / 1000)} s`);
  return behind;
}

/** Who is behind, as a table. */
export function behindTable(pods: readonly InjectedPod[]): string {
  const rows = pods.map(({ namespace, pod, revision, wanted = "", image }) => [
    namespace,
    pod,
    revision,
    wanted,
    image,
  ]);
  return table(["NAMESPACE", "POD", "REVISION", "WANTED", "PROXY"], rows);
}

function some(pods: readonly InjectedPod[]): string {
  const names = pods.slice(0, 3).map(({ namespace, pod }) => `${namespace}/${pod}`);
  return `${names.join(", ")}${pods.length > 3 ? " and more" : ""}`;
}
