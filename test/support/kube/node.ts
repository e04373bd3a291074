import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const scripts = fileURLToPath(new URL("./cluster/", import.meta.url));

/** A real single-node Kubernetes: kube-apiserver, etcd, kubelet, containerd, CNI, DNS. Needs root. */
export interface RealNode {
  /** Folder of the node's files. */
  readonly dir: string;
  /** Path of a kubeconfig of system:masters. */
  readonly kubeconfig: string;
  /** Imports image archives; use them with imagePullPolicy IfNotPresent. */
  load(archives: readonly string[]): Promise<void>;
  /** Runs a program on the node, with its tools first in PATH; what it printed. */
  enter(command: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** Kills a program of the node as if by a crash, and keeps it dead until what is returned is called. */
  kill(program: "kube-apiserver"): Promise<() => Promise<void>>;
  /** Ends everything: no process, mount, link or file is left. `keepLogs` copies the node's logs there first. */
  stop(keepLogs?: string): Promise<void>;
}

const KILL = `pid=$(cat "$1"); supervisor=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status")
kill -STOP "$supervisor"; kill -9 "$pid"; echo "$supervisor"`;

/** Starts a node (about 6 s once its parts are built) with the images loaded. `index` (0..49) picks its addresses. */
export async function startNode(options: { images: readonly string[]; index: number }): Promise<RealNode> {
  const parent = await mkdtemp(join(tmpdir(), "meshctl-node-"));
  const dir = join(parent, "cluster");
  const index = String(options.index);
  await run(
    join(scripts, "cluster-up.sh"),
    [
      "--name",
      `mesh${index}`,
      "--index",
      index,
      "--dir",
      dir,
      ...options.images.flatMap((image) => ["--image", image]),
    ],
    { maxBuffer: 1 << 24 },
  );
  const enter = (command: readonly string[]) =>
    run(join(scripts, "node-enter.sh"), [dir, ...command], { maxBuffer: 1 << 24 });
  return {
    dir,
    kubeconfig: join(dir, "kubeconfig"),
    load: async (archives) => {
      await run(join(scripts, "cluster-load-image.sh"), [dir, ...archives]);
    },
    enter,
    kill: async (program) => {
      // its supervisor would start it anew: that one sleeps meanwhile
      const { stdout } = await enter(["bash", "-c", KILL, "kill", join(dir, `run/${program}.pid`)]);
      return async () => {
        await enter(["kill", "-CONT", stdout.trim()]);
      };
    },
    stop: async (keepLogs) => {
      await run(join(scripts, "cluster-down.sh"), [dir, ...(keepLogs === undefined ? [] : ["--keep-logs", keepLogs])]);
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/**
 * A cable between two nodes of different index, which goes with either. pods: the pods of each reach those of the other by
 * address. gateways: only the other's API server and its addresses of load balancers (`loadBalancerRange`).
 */
export async function linkNodes(a: RealNode, b: RealNode, reach: "pods" | "gateways"): Promise<void> {
  await run(join(scripts, "cluster-link.sh"), [a.dir, b.dir, reach]);
}

/** First three numbers of the addresses that load balancers of a node have (`startLoadBalancers`). */
export function loadBalancerRange(index: number): string {
  return `10.${200 + index}.255`;
}
