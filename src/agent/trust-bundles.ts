import { CONTROL_PLANE_ROOTS, MESH_ROOTS } from "../base/agent-sds.ts";
import type { SdsServer } from "../grpc/sds-server.ts";
import { mergePem } from "../pki/trust-path.ts";

/** File beside the roots; the control plane writes it where meshes are federated. */
export const BUNDLES_FILE = "trust-bundles.json";

/** Whose roots vouch for whom. */
export interface TrustBundles {
  /** The mesh's own trust domain and its aliases: the mesh's roots vouch for these. */
  readonly own: readonly string[];
  /** PEM of further roots by the trust domain that they vouch for, and for no other. */
  readonly federated: Readonly<Record<string, string>>;
}

/** What the file says; undefined: nothing is federated. A text that is not the control plane's counts as none. */
export function trustBundlesIn(text: string): TrustBundles | undefined {
  try {
    const { own, federated } = JSON.parse(text) as Partial<TrustBundles>;
    return Array.isArray(own) && typeof federated === "object"
      ? { own: own as readonly string[], federated }
      : undefined;
  } catch {
    return undefined;
  }
}

/** What is to be trusted. */
export interface TrustedRoots {
  /** PEM of the mesh's roots. */
  readonly roots: string;
  readonly bundles: TrustBundles | undefined;
  /** PEM of revocation lists; empty: none. */
  readonly revocations?: string;
  /** Only a workload's own certificate is looked up in the lists. */
  readonly leafOnly?: boolean;
}

/**
 * Offers what mesh peers are verified by, and what the control plane is. Federated roots never vouch for the control plane.
 * Envoy knows no lists for leaves alone by trust domain: with such lists the mesh's own roots are all there is.
 */
export function publishRoots(
  sds: Pick<SdsServer, "publish">,
  { roots, bundles, revocations = "", leafOnly = false }: TrustedRoots,
): void {
  const plain = { kind: "roots", pem: roots, ...(revocations === "" ? {} : { revocations, leafOnly }) } as const;
  sds.publish(CONTROL_PLANE_ROOTS, plain);
  const isPlain = bundles === undefined || (revocations !== "" && leafOnly);
  sds.publish(
    MESH_ROOTS,
    isPlain ? plain : { kind: "roots", pem: roots, byTrustDomain: rootsByDomain(roots, bundles, revocations) },
  );
}

function rootsByDomain(
  roots: string,
  { own, federated }: TrustBundles,
  revocations: string,
): Readonly<Record<string, string>> {
  const all: Record<string, string> = { ...federated };
  for (const domain of own) all[domain] = `${mergePem(roots, federated[domain] ?? "")}${revocations}`;
  return all;
}
