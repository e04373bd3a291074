import { resolve } from "node:path";
import { compact } from "./base/compact.ts";
import { UsageError } from "./base/errors.ts";
import type { MainIo } from "./cli-io.ts";
import type { Io } from "./commands/io.ts";
import type { Cluster } from "./resources/cluster.ts";
import type { XdsFlags } from "./commands/xds-cluster.ts";

/** Flags that say which cluster, as whom, or what stands for one. */
interface MeshFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly as?: string;
  readonly asGroup?: readonly string[];
  readonly asUid?: string;
  readonly bundle?: string;
  readonly xdsAddress?: string;
}

/** The Io of a command: with the cluster that its flags name, or a bundle at the time it was made. Throws UsageError, EnvironmentError. */
export async function withMesh(io: MainIo, flags: MeshFlags): Promise<Io> {
  const { kubeconfig, context, as, asGroup, asUid, bundle } = flags;
  if (as === undefined && (asUid !== undefined || (asGroup ?? []).length > 0))
    throw new UsageError("--as-group and --as-uid need --as", "name the user to act as: --as USER");
  if (bundle !== undefined && flags.xdsAddress !== undefined)
    throw new UsageError("--bundle and --xds-address exclude each other", "A bundle has what its control plane said.");
  if (bundle !== undefined) return withBundle(io, bundle, context);
  const meant = withCluster(io, compact({ kubeconfig, context, as, asGroup, asUid }));
  const { xdsAddress } = flags;
  return xdsAddress === undefined ? meant : withXds(meant, { ...flags, xdsAddress });
}

/** The control plane at an address in place of the cluster's own. */
function withXds(io: Io, flags: XdsFlags): Io {
  return {
    ...io,
    get columns() {
      return io.columns;
    },
    cluster: async (context) => {
      const { xdsCluster } = await import("./commands/xds-cluster.ts");
      return xdsCluster(await io.cluster(context), flags, io.cwd);
    },
  };
}

/** `context`: the one cluster of the bundle that is meant. */
async function withBundle(io: MainIo, file: string, context: string | undefined): Promise<Io> {
  const { openBundle } = await import("./bundle/open.ts");
  const { cluster: first, createdAt, more } = await openBundle(resolve(io.cwd, file), file);
  const named = (name: string): Cluster => {
    const found = more.get(name);
    if (found !== undefined) return found;
    const there = [...more.keys()].join(", ") || "no other";
    throw new UsageError(`${file} has no cluster ${name}`, `Beside the first it has ${there}.`);
  };
  const own = context === undefined ? first : named(context);
  const moreClusters = context === undefined && more.size > 0 ? { moreClusters: [...more.keys()] } : {};
  return {
    ...io,
    get columns() {
      return io.columns;
    },
    ...moreClusters,
    now: () => createdAt,
    cluster: async (name) => (name === undefined ? own : named(name)),
  };
}

/** The Io of a command with the cluster that flags name; nothing is opened before it is asked for. */
export function withCluster(io: MainIo, flags: Omit<MeshFlags, "bundle">): Io {
  return {
    ...io,
    get columns() {
      return io.columns;
    },
    cluster: async (context) => {
      const { openCluster } = await import("./kube/cluster.ts");
      return openCluster({ ...flags, ...compact({ context }), env: io.env, cwd: io.cwd });
    },
  };
}
