import type { Facts } from "./facts.ts";
import { decoded, pemBlocks } from "./pem.ts";

/** The Secret that holds the CA. */
export interface CaSecret {
  readonly certificate: string;
  readonly key: string;
}

/** Reads the one that the control plane signs with; undefined when there is none. */
export async function caSecret(facts: Facts): Promise<CaSecret | undefined> {
  const secret = await facts.get("Secret", facts.context.istioNamespace, "istio-ca-secret");
  if (secret === undefined) return undefined;
  return { certificate: decoded(secret.data?.["ca-cert.pem"]), key: decoded(secret.data?.["ca-key.pem"]) };
}

/** Roots of the mesh as they are now, each as one PEM block. */
export async function currentRoots(facts: Facts): Promise<readonly string[]> {
  return pemBlocks((await caSecret(facts))?.certificate ?? "");
}
