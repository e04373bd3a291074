import { EnvironmentError } from "../base/errors.ts";
import { type AddressPlan, addressPlan } from "./node/network/netns-plan.ts";
import { runProgram } from "./node/run.ts";
import type { ClusterState } from "./state.ts";
import { findTool } from "./tools.ts";

/**
 * What of the other cluster is reached over a link. pods: each other's pods, by address: one network. gateways: each other's
 * Services of type LoadBalancer, whose addresses here are those of the Services: two networks.
 */
export type Reach = "pods" | "gateways";

/** One end of a link. */
interface End {
  readonly pid: number;
  readonly plan: AddressPlan;
}

/**
 * Joins the nodes of two clusters in network namespaces by a cable; it goes with either of them. Throws EnvironmentError when
 * the machine lacks a program for it.
 */
export async function linkClusters(
  clusters: readonly [ClusterState, ClusterState],
  reach: Reach,
  path: string | undefined,
): Promise<void> {
  const tools = { ip: tool("ip", path), nsenter: tool("nsenter", path), iptables: tool("iptables", path) };
  const [a, b] = [endOf(clusters[0]), endOf(clusters[1])];
  const [toB, toA] = [cable(b), cable(a)];
  const ends = `link add ${toB} netns ${a.pid} type veth peer name ${toA} netns ${b.pid}`;
  await runProgram(tools.ip, ends.split(" "));
  await plug(tools, a, b, reach);
  await plug(tools, b, a, reach);
}

type Tools = Readonly<Record<"ip" | "nsenter" | "iptables", string>>;

async function plug({ ip, nsenter, iptables }: Tools, own: End, other: End, reach: Reach): Promise<void> {
  const dev = cable(other);
  const src = own.plan.nodeIp;
  const range = reach === "pods" ? other.plan.podCidr : other.plan.serviceCidr;
  const inside = ["-t", String(own.pid), "--net"];
  const lines = [
    `link set ${dev} up`,
    `route add ${other.plan.nodeIp}/32 dev ${dev} src ${src}`,
    `route add ${range} via ${other.plan.nodeIp} dev ${dev} src ${src} onlink`,
  ];
  await runProgram(nsenter, [...inside, ip, "-batch", "-"], `${lines.join("\n")}\n`);
  // the other side has no way back to our pods
  const masquerade = ["-t", "nat", "-A", "POSTROUTING", "-o", dev, "-j", "MASQUERADE"];
  if (reach === "gateways") await runProgram(nsenter, [...inside, iptables, "-w", ...masquerade]);
}

/** Name of the cable's end that leads to a cluster. */
function cable({ plan }: End): string {
  return `to-${plan.link}`;
}

function endOf({ name, process: { pid }, link = "" }: ClusterState): End {
  const index = /^meshctl(\d+)$/.exec(link)?.[1];
  if (index !== undefined) return { pid, plan: addressPlan(Number(index)) };
  throw new EnvironmentError(
    "no-link",
    `cluster ${name} cannot be joined to another: its pods have no network of their own`,
    {
      hint: "start the clusters as root with --network netns",
    },
  );
}

function tool(name: string, path: string | undefined): string {
  const found = findTool(name, path);
  if (found !== undefined) return found;
  throw new EnvironmentError("no-tool", `joining clusters needs the program ${name}`, { hint: `install ${name}` });
}
