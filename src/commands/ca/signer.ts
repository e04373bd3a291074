import { ClusterError } from "../../base/errors.ts";
import type { ClusterReader } from "../../resources/cluster.ts";
import type { KubeObject } from "../../resources/object.ts";
import { controlPlanePods } from "../pod-http.ts";

/**
 * Who signs workloads in place of the control plane, in words; undefined: the control plane itself, or nobody can tell since none
 * runs. By the environment of its pods, as meshd reads it (docs/guides/certificate-authority.md). Throws ClusterError.
 */
export async function foreignSigner(cluster: ClusterReader, namespace: string): Promise<string | undefined> {
  const pods = await controlPlanePods(cluster, namespace).catch((error: unknown) => {
    if (error instanceof ClusterError && error.code === "no-control-plane") return [];
    throw error;
  });
  return pods.map(signerOf).find((signer) => signer !== undefined);
}

interface PodSpec {
  readonly containers?: readonly {
    readonly name?: string;
    readonly env?: readonly { readonly name?: string; readonly value?: string }[];
  }[];
}

function signerOf(pod: KubeObject): string | undefined {
  const { containers = [] } = (pod["spec"] ?? {}) as PodSpec;
  const container = containers.find(({ name }) => name === "discovery") ?? containers[0];
  const of = (name: string): string => container?.env?.find((one) => one.name === name)?.value ?? "";
  if (of("ENABLE_CA_SERVER") === "false") return "an issuer that workloads ask themselves (ENABLE_CA_SERVER=false)";
  if (of("EXTERNAL_CA") === "") return undefined;
  return `signer ${of("K8S_SIGNER") || `of domain ${of("CERT_SIGNER_DOMAIN")}`} of the cluster (EXTERNAL_CA=${of("EXTERNAL_CA")})`;
}

/** Refuses what only makes sense where the control plane signs. Throws ClusterError `foreign-signer`. */
export async function refuseForeign(cluster: ClusterReader, namespace: string, hint: string): Promise<void> {
  const signer = await foreignSigner(cluster, namespace);
  if (signer === undefined) return;
  throw new ClusterError("foreign-signer", `the control plane signs no workloads: certificates come from ${signer}`, {
    hint,
  });
}
