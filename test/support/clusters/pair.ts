import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { openCluster } from "../../../src/kube/cluster.ts";
import { readState } from "../../../src/local/state.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import { startLoadBalancers } from "../kube/conformance/load-balancer.ts";
import { linkNodes, loadBalancerRange, startNode } from "../kube/node.ts";
import { testImages } from "./images.ts";

/** What of each other two clusters reach: pods by address (one network), or addresses of load balancers alone (two networks). */
export type Reach = "pods" | "gateways";

/** The two clusters, by the names that the guide gives them. */
export type Side = "east" | "west";

/** Two clusters side by side, without a mesh, joined by a cable. */
export interface ClusterPair {
  readonly reach: Reach;
  readonly clusters: Readonly<Record<Side, Cluster>>;
  readonly kubeconfigs: Readonly<Record<Side, string>>;
  /** Folder for files of the run. */
  readonly work: string;
  readonly env: NodeJS.ProcessEnv;
  /** Nobody reaches the cluster's API server by network any more, until what is returned is called. */
  endApiServer(side: Side): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, "../../..");

const run = promisify(execFile);

/** Runs shell lines as the guide has them (`meshctl` is the built program, EAST and WEST are kubeconfigs); what they printed. */
export async function shell(
  { work, env, kubeconfigs }: Pick<ClusterPair, "work" | "env" | "kubeconfigs">,
  lines: string,
): Promise<string> {
  const functions = `meshctl() { "${process.execPath}" "${root}/bin/meshctl.js" "$@"; }`;
  const places = `EAST=${kubeconfigs.east} WEST=${kubeconfigs.west}`;
  const script = `set -eo pipefail; cd ${work}; ln -sfn ${root}/samples samples; ${functions}; ${places}\n${lines}`;
  const { stdout } = await run("bash", ["-c", script], { env, maxBuffer: 1 << 24 });
  return stdout;
}

async function openAll(kubeconfigs: ClusterPair["kubeconfigs"]): Promise<ClusterPair["clusters"]> {
  const open = (kubeconfig: string): Promise<Cluster> => openCluster({ kubeconfig, env: {} });
  return { east: await open(kubeconfigs.east), west: await open(kubeconfigs.west) };
}

/** `meshctl up --clusters 2`; needs root. */
export async function embeddedPair(reach: Reach): Promise<ClusterPair> {
  const work = mkdtempSync(join(tmpdir(), "several-clusters-"));
  const env = { ...process.env, HOME: work, XDG_STATE_HOME: join(work, "state") };
  const folder = (number: number): string => join(work, `state/meshctl/mesh-${number}`);
  const kubeconfigs = { east: join(folder(1), "kubeconfig"), west: join(folder(2), "kubeconfig") };
  const lines = (text: string): Promise<string> => shell({ work, env, kubeconfigs }, text);
  await lines(`meshctl up --clusters 2${reach === "gateways" ? " --cross-network" : ""}`);
  return {
    reach,
    work,
    env,
    kubeconfigs,
    clusters: await openAll(kubeconfigs),
    async endApiServer(side) {
      // what answers this machine is the process that is the node: it stays, and is shut to all that comes by network
      const state = await readState(folder(side === "east" ? 1 : 2));
      const rule = "INPUT -p tcp --dport 6443 -j REJECT --reject-with tcp-reset";
      const inside = `nsenter -t ${state?.process.pid ?? ""} --net iptables -w`;
      await lines(`${inside} -I ${rule}`);
      return async () => void (await lines(`${inside} -D ${rule}`));
    },
    async stop() {
      await lines("meshctl down");
      rmSync(work, { recursive: true, force: true });
    },
  };
}

/** Two real single-node Kubernetes clusters; needs root and what the node tier needs. */
export async function realPair(reach: Reach, indexes: readonly [number, number]): Promise<ClusterPair> {
  const images = testImages();
  const nodes = await Promise.all(indexes.map((index) => startNode({ images, index })));
  const [east, west] = nodes;
  if (east === undefined || west === undefined) throw new Error("two indexes were given");
  await linkNodes(east, west, reach);
  const kubeconfigs = { east: east.kubeconfig, west: west.kubeconfig };
  const clusters = await openAll(kubeconfigs);
  const balancers = [
    startLoadBalancers(clusters.east, loadBalancerRange(indexes[0])),
    startLoadBalancers(clusters.west, loadBalancerRange(indexes[1])),
  ];
  const { stdout } = await east.enter(["which", "kubectl"]);
  const work = mkdtempSync(join(tmpdir(), "several-clusters-"));
  const path = `${dirname(stdout.trim())}${delimiter}${process.env["PATH"] ?? ""}`;
  return {
    reach,
    work,
    env: { ...process.env, HOME: work, PATH: path },
    kubeconfigs,
    clusters,
    endApiServer: (side) => (side === "east" ? east : west).kill("kube-apiserver"),
    async stop() {
      await Promise.all(balancers.map((balancer) => balancer.close()));
      await Promise.all(nodes.map((node) => node.stop()));
      rmSync(work, { recursive: true, force: true });
    },
  };
}
