import type { KubeObject } from "../resources/object.ts";

/** Kubernetes in which containers that restart among the init containers are stable. */
const FIRST_MINOR = 33;

/** What native sidecars are decided from. */
export interface NativeSidecarFacts {
  /** ENABLE_NATIVE_SIDECARS of the control plane: `true`, `false`, or anything else for auto. */
  readonly setting: string | undefined;
  /** Version of every node's kubelet, such as `v1.33.4`. */
  readonly kubeletVersions: readonly string[];
}

/** Whether sidecars are init containers that restart: as set, else when every node known has a kubelet of 1.33 or newer. */
export function usesNativeSidecars({ setting, kubeletVersions }: NativeSidecarFacts): boolean {
  if (setting === "true" || setting === "false") return setting === "true";
  return kubeletVersions.length > 0 && kubeletVersions.every(hasNativeSidecars);
}

/** Versions of the kubelets of Nodes; empty for a node that does not tell. */
export function kubeletVersions(nodes: readonly KubeObject[]): readonly string[] {
  return nodes.map(({ status }) => {
    const { nodeInfo } = (status ?? {}) as { readonly nodeInfo?: { readonly kubeletVersion?: string } };
    return nodeInfo?.kubeletVersion ?? "";
  });
}

function hasNativeSidecars(version: string): boolean {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= FIRST_MINOR);
}
