import { X509Certificate } from "node:crypto";
import { mergePem, splitPem } from "../../pki/trust-path.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { leadsTo } from "../mtls/trust.ts";
import { type Holder, strangeServers } from "./holders.ts";

/** What is wrong where somebody else signs: there is no authority to compare with, only what the proxies hold. */
export function foreignProblems(holder: Holder, all: readonly Holder[], now: Date): readonly string[] {
  const { problem, roots, chain } = holder;
  if (problem !== undefined) return [`cannot be asked: ${problem}`];
  const held = chain.map((pem) => new X509Certificate(pem));
  const [leaf] = held;
  if (leaf === undefined) return ["holds no certificate yet"];
  const refusing = all.filter((other) => other.problem === undefined && !leadsTo(held, other.roots.map(read)));
  const names = refusing.map(({ name }) => name);
  return [
    ...(roots.length === 0 ? ["holds no roots yet"] : []),
    ...(new Date(leaf.validTo) <= now ? [`its certificate ended on ${new Date(leaf.validTo).toISOString()}`] : []),
    ...(names.length === 0 ? [] : [`no root of ${shown(names)} leads to its certificate`]),
  ];
}

function read(pem: string): X509Certificate {
  return new X509Certificate(pem);
}

const SHOWN = 3;

function shown(names: readonly string[]): string {
  const more = names.length - SHOWN;
  return [...names.slice(0, SHOWN), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

/** The roots that everybody holds: what the mesh trusts, as far as the proxies tell. PEM. */
export function commonRoots(holders: readonly Holder[]): string {
  const asked = holders.filter(({ problem }) => problem === undefined);
  const [first, ...others] = asked.map(({ roots }) => mergePem(...roots));
  return splitPem(first ?? "")
    .filter((pem) => others.every((held) => held.includes(pem.trim())))
    .join("");
}

/** Control plane pods that proxies would not take. Without a proxy there is nobody to compare with. */
export async function strangeToProxies(cluster: Cluster, namespace: string, roots: string): Promise<readonly string[]> {
  return roots === "" ? [] : strangeServers(cluster, namespace, roots);
}
