import { X509Certificate } from "node:crypto";
import type { Authority } from "../../pki/authority-secret.ts";
import type { Ca } from "../../pki/ca.ts";
import { hasList, isRevoked, readRevocationLists } from "../../pki/revocation.ts";
import { isSignedBy, splitPem } from "../../pki/trust-path.ts";
import { type Holder, subjectOf } from "./holders.ts";

// What is said of one proxy: empty when all is well, else in words that a user reads behind its name.

/** Whether two PEM texts hold the same certificates. */
export function areSame(a: string, b: string): boolean {
  return lacking(a, b).length === 0 && lacking(b, a).length === 0;
}

/** The certificates of `wanted` that are not in `held`. */
export function lacking(wanted: string, held: string): readonly string[] {
  const there = new Set(splitPem(held).map(fingerprint));
  return splitPem(wanted).filter((pem) => !there.has(fingerprint(pem)));
}

function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

/** Roots that it should trust and does not. */
export function distrust(holder: Holder, roots: string): readonly string[] {
  if (holder.problem !== undefined) return [`cannot be asked: ${holder.problem}`];
  if (holder.roots.length === 0) return ["holds no roots yet"];
  return lacking(roots, holder.roots.join("")).map((pem) => `does not trust ${subjectOf(pem)} yet`);
}

/** Those of the former roots that it still trusts. */
export function formerTrust(holder: Holder, former: string): readonly string[] {
  const kept = lacking(former, holder.roots.join(""));
  return lacking(former, kept.join("")).map((pem) => `still trusts ${subjectOf(pem)}`);
}

/** Why its certificate is none of this authority's. */
export function strayLeaf(holder: Holder, ca: Ca, now: Date): readonly string[] {
  if (holder.problem !== undefined) return [`cannot be asked: ${holder.problem}`];
  const [pem] = holder.chain;
  if (pem === undefined) return ["holds no certificate yet"];
  const leaf = new X509Certificate(pem);
  if (new Date(leaf.validTo) <= now) return [`its certificate ended on ${new Date(leaf.validTo).toISOString()}`];
  if (isSignedBy(leaf, new X509Certificate(ca.certificate))) return [];
  return [`its certificate is of ${leaf.issuer.replaceAll("\n", ", ")}`];
}

/** Why a revoked peer would get through, or it is one itself. */
export function leniency(holder: Holder, revocations: string): readonly string[] {
  const wanted = readRevocationLists(revocations);
  const held = new Set(readRevocationLists(holder.revocations).map(({ pem }) => bare(pem)));
  const missing = wanted.filter(({ pem }) => !held.has(bare(pem)));
  const [leaf] = holder.chain;
  return [
    ...missing.map(({ issuer }) => `does not check the revocation list of ${issuer} yet`),
    ...(leaf !== undefined && isRevoked(wanted, leaf) ? ["its certificate is revoked"] : []),
  ];
}

function bare(pem: string): string {
  return pem.replaceAll(/\s/g, "");
}

/** How far a rotation has come: what is to be done next. */
export type Phase = "trust" | "sign" | "retire" | "finish";

/** By what the signing Secret holds, so that a rotation goes on where it was left, whoever left it. */
export function phaseOf({ ca: current, revocations }: Pick<Authority, "ca" | "revocations">, next: Ca): Phase {
  if (areSame(current.certificate, next.certificate)) return areSame(current.roots, next.roots) ? "finish" : "retire";
  const lists = readRevocationLists(revocations);
  // Who checks lists refuses an authority that has none.
  const isUnlisted = lists.length > 0 && !hasList(next, lists);
  return isUnlisted || lacking(next.roots, current.roots).length > 0 ? "trust" : "sign";
}
