import { X509Certificate } from "node:crypto";
import { MESH_ROOTS } from "../../base/agent-sds.ts";
import { splitPem } from "../../pki/trust-path.ts";
import { heldRoots, pemIn, rootsByDomain } from "../proxy-config/secret.ts";
import { list, record, text } from "../proxy-config/view.ts";

/** What a proxy trusts, and what it shows to others. */
export interface HeldTrust {
  readonly pod: string;
  readonly roots: readonly X509Certificate[];
  /** Whether it verifies mesh peers at all: a gateway without such routes does not, and refuses nobody. */
  readonly verifies: boolean;
  /** Those that may vouch for identities of a trust domain. */
  readonly rootsFor: (trustDomain: string) => readonly X509Certificate[];
  /** Its own certificate, and what leads up from it. */
  readonly chain: readonly X509Certificate[];
}

/** Pods that trust the same authorities. */
export interface TrustGroup {
  /** SHA-256 of each root, sorted. */
  readonly roots: readonly string[];
  /** Subjects of the roots, in the same order. */
  readonly subjects: readonly string[];
  readonly pods: readonly string[];
}

/** Pods whose certificate others do not take. */
export interface Mistrust {
  readonly pods: readonly string[];
  /** Who issued it. */
  readonly issuer: string;
  readonly refusedBy: readonly string[];
}

/** Reads secrets out of a proxy's dump. */
export function trustIn(pod: string, dump: unknown): HeldTrust {
  const named = (name: string): unknown => list(dump, "configs").find((entry) => text(entry, "name") === name);
  const read = (pem: string): readonly X509Certificate[] => splitPem(pem).map((one) => new X509Certificate(one));
  const byDomain = Object.entries(rootsByDomain(heldRoots(list(dump, "configs")))).map(
    ([domain, pem]) => [domain, read(pem)] as const,
  );
  const roots = new Map(byDomain.flatMap(([, all]) => all.map((one) => [one.fingerprint256, one])));
  return {
    pod,
    roots: [...roots.values()],
    verifies: named(MESH_ROOTS) !== undefined,
    rootsFor: (domain) => byDomain.filter(([name]) => name === "" || name === domain).flatMap(([, all]) => all),
    chain: read(pemIn(record(named("default"), "secret", "tls_certificate", "certificate_chain"))),
  };
}

/** Pods by what they trust, the largest group first. */
export function trustGroups(held: readonly HeldTrust[]): readonly TrustGroup[] {
  const groups = new Map<string, { readonly roots: readonly X509Certificate[]; readonly pods: string[] }>();
  for (const { pod, roots } of held) {
    const sorted = roots.toSorted((a, b) => (a.fingerprint256 < b.fingerprint256 ? -1 : 1));
    const key = sorted.map(({ fingerprint256 }) => fingerprint256).join(" ");
    const group = groups.get(key) ?? { roots: sorted, pods: [] };
    group.pods.push(pod);
    groups.set(key, group);
  }
  return [...groups.values()]
    .map(({ roots, pods }) => ({
      roots: roots.map(({ fingerprint256 }) => fingerprint256.replaceAll(":", "").toLowerCase()),
      subjects: roots.map(({ subject }) => subject.replaceAll("\n", ", ")),
      pods,
    }))
    .toSorted((a, b) => b.pods.length - a.pods.length);
}

/** Which pods' certificates lead to no root of which other pods: handshakes between them fail. */
export function mistrusts(held: readonly HeldTrust[]): readonly Mistrust[] {
  const found = new Map<string, { pods: Set<string>; refusedBy: Set<string>; issuer: string }>();
  for (const { pod, chain } of held) {
    const [leaf] = chain;
    if (leaf === undefined) continue;
    const domain = trustDomainOf(leaf);
    const refusedBy = held
      .filter(({ verifies, pod: other }) => verifies && other !== pod)
      .filter(({ rootsFor }) => !leadsTo(chain, rootsFor(domain)))
      .map((one) => one.pod);
    if (refusedBy.length === 0) continue;
    const issuer = leaf.issuer.replaceAll("\n", ", ");
    const key = `${issuer} ${refusedBy.join(" ")}`;
    const known = found.get(key) ?? { pods: new Set(), refusedBy: new Set(refusedBy), issuer };
    known.pods.add(pod);
    found.set(key, known);
  }
  return [...found.values()].map(({ pods, refusedBy, issuer }) => ({
    pods: [...pods],
    issuer,
    refusedBy: [...refusedBy],
  }));
}

/** Of the identity that a workload's certificate names; "" for none. */
function trustDomainOf({ subjectAltName = "" }: X509Certificate): string {
  return /spiffe:\/\/([^/,"]+)\//.exec(subjectAltName)?.[1] ?? "";
}

/** Whether a chain, the leaf first, leads to one of these roots. */
export function leadsTo(chain: readonly X509Certificate[], roots: readonly X509Certificate[]): boolean {
  return chain.some((link) => roots.some((root) => link.checkIssued(root) && link.verify(root.publicKey)));
}
