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
  /** Path of a kubeconfig of system:masters. */
  readonly kubeconfig: string;
  /** Imports image archives; use them with imagePullPolicy IfNotPresent. */
  load(archives: readonly string[]): Promise<void>;
  /** Runs a program on the node, with its tools first in PATH; what it printed. */
  enter(command: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }>;
  /** Ends everything: no process, mount, link or file is left. `keepLogs` copies the node's logs there first. */
  stop(keepLogs?: string): Promise<void>;
}

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
  return {
    kubeconfig: join(dir, "kubeconfig"),
    load: async (archives) => {
      await run(join(scripts, "cluster-load-image.sh"), [dir, ...archives]);
    },
    enter: (command) => run(join(scripts, "node-enter.sh"), [dir, ...command], { maxBuffer: 1 << 24 }),
    stop: async (keepLogs) => {
      await run(join(scripts, "cluster-down.sh"), [dir, ...(keepLogs === undefined ? [] : ["--keep-logs", keepLogs])]);
      await rm(parent, { recursive: true, force: true });
    },
  };
}
