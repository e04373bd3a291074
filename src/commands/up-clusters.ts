import { EnvironmentError, UsageError } from "../base/errors.ts";
import { linkClusters, type Reach } from "../local/link.ts";
import { type ClusterState, readState, stateDir } from "../local/state.ts";
import { textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { clusterName, endCluster, memberNames, MOST_CLUSTERS } from "./local-clusters.ts";

/** How many clusters `meshctl up` is to start; undefined without --clusters. */
export function wantedClusters(input: CommandInput): number | undefined {
  const text = textOption(input, "clusters");
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text) && Number(text) >= 2 && Number(text) <= MOST_CLUSTERS) return Number(text);
  throw new UsageError(`--clusters: expected a number from 2 to ${MOST_CLUSTERS}, got ${text}`);
}

/**
 * `meshctl up --clusters N`: clusters NAME-1 to NAME-N, joined to each other: by pods, or with --cross-network by gateways
 * alone. When one cannot be started, those that were are ended.
 */
export async function upClusters(
  count: number,
  input: CommandInput,
  io: Io,
  up: (input: CommandInput, io: Io) => Promise<CommandResult>,
): Promise<CommandResult> {
  const { group, network, reach } = wishOf(count, input);
  const names = memberNames(group, count);
  const begun: string[] = [];
  try {
    for (const name of names) {
      const isThere = (await readState(stateDir(io.env, name))) !== undefined;
      if (isThere) throw new UsageError(`cluster ${name} is there already`, `end it with meshctl down --name ${group}`);
      begun.push(name);
      await up({ ...input, options: { ...input.options, name, network, clusters: undefined } }, silent(io));
    }
    const states = await Promise.all(names.map((name) => stateOf(io, name)));
    for (const [index, a] of states.entries())
      for (const b of states.slice(index + 1)) await linkClusters([a, b], reach, io.env["PATH"]);
    io.out(howToUse(states, { group, reach }));
    return { exitCode: 0 };
  } catch (error) {
    for (const name of begun) await endCluster(stateDir(io.env, name));
    throw error;
  }
}

/** Flags of `up` that mean one cluster. */
const OF_ONE = { apiPort: "--api-port", foreground: "--foreground", tied: "--tied", kubeconfig: "--kubeconfig" };

function wishOf(
  count: number,
  input: CommandInput,
): { readonly group: string; readonly network: string; readonly reach: Reach } {
  for (const [option, flag] of Object.entries(OF_ONE))
    if (input.options[option] !== undefined && input.options[option] !== false)
      throw new UsageError(`${flag} is for one cluster, not for ${count}`);
  if (process.getuid?.() !== 0)
    throw new EnvironmentError("no-network", "several clusters need network namespaces, which only root may make", {
      hint: "run it as root, or start one cluster without --clusters",
    });
  const network = textOption(input, "network") ?? "netns";
  if (network !== "netns")
    throw new UsageError(
      `--network ${network} has one network for all`,
      "several clusters need --network netns, as root",
    );
  const reach = input.options["crossNetwork"] === true ? "gateways" : "pods";
  return { group: clusterName(textOption(input, "name")), network, reach };
}

/** What one cluster says of itself is said for all at the end. */
function silent(io: Io): Io {
  return { ...io, out: () => undefined };
}

async function stateOf(io: Io, name: string): Promise<ClusterState> {
  const state = await readState(stateDir(io.env, name));
  if (state !== undefined) return state;
  throw new UsageError(`cluster ${name} ended while the others were started`);
}

function howToUse(
  states: readonly ClusterState[],
  { group, reach }: { readonly group: string; readonly reach: Reach },
): string {
  const joined =
    reach === "pods" ? "pods of each reach those of the others" : "each reaches only the load balancers of the others";
  return [
    `clusters ${states.map(({ name }) => name).join(", ")} are up; ${joined}`,
    "use them:",
    ...states.map(({ kubeconfig }) => `  export KUBECONFIG=${kubeconfig}`),
    "make one mesh of them: docs/guides/several-clusters.md",
    "end them:",
    `  meshctl down --name ${group}`,
    "",
  ].join("\n");
}
