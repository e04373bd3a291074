import type { Facts } from "./facts.ts";
import { decoded, pemBlocks } from "./pem.ts";

/** The Secret that holds the CA. */
export interface CaSecret {
  readonly certificate: string;
  readonly key: string;
  /** PEM of all roots that are to be trusted; the certificate itself where none are told. */
  readonly roots: string;
}

/** Reads the one that the control plane signs with, a plugged-in one first; undefined when there is none. */
export async function caSecret(facts: Facts): Promise<CaSecret | undefined> {
  const of = (name: string) => facts.get("Secret", facts.context.istioNamespace, name);
  const secret = (await of("cacerts")) ?? (await of("istio-ca-secret"));
  if (secret === undefined) return undefined;
  const text = (...names: readonly string[]): string =>
    names.map((name) => decoded(secret.data?.[name])).find((value) => value !== "") ?? "";
  const certificate = text("ca-cert.pem", "tls.crt");
  return { certificate, key: text("ca-key.pem", "tls.key"), roots: text("root-cert.pem", "ca.crt") || certificate };
}

/** Roots of the mesh as they are now, each as one PEM block. */
export async function currentRoots(facts: Facts): Promise<readonly string[]> {
  return pemBlocks((await caSecret(facts))?.roots ?? "");
}
