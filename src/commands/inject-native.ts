import { kubeletVersions, usesNativeSidecars } from "../model/native-sidecars.ts";
import type { ClusterReader } from "../resources/cluster.ts";

/** Where a control plane runs: `istiod` or `istiod-canary` in its namespace. */
interface ControlPlane {
  readonly namespace: string;
  readonly name: string;
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

/**
 * Whether the webhook of a control plane makes native sidecars: the same question to the same facts, its own setting and the
 * nodes. A cluster that does not let us list nodes gets the form that every cluster takes.
 */
export async function clusterNativeSidecars(
  cluster: ClusterReader,
  { namespace, name }: ControlPlane,
): Promise<boolean> {
  const [nodes, deployment] = await Promise.all([
    cluster.list({ apiVersion: "v1", kind: "Node" }).catch(() => []),
    cluster.get({ apiVersion: "apps/v1", kind: "Deployment", namespace, name }).catch(() => undefined),
  ]);
  const { template } = (deployment?.spec ?? {}) as {
    readonly template?: { readonly spec?: { containers?: Container[] } };
  };
  const env = (template?.spec?.containers ?? []).flatMap(({ env: own = [] }) => own);
  const setting = env.find((variable) => variable.name === "ENABLE_NATIVE_SIDECARS")?.value;
  return usesNativeSidecars({ setting, kubeletVersions: kubeletVersions(nodes) });
}
