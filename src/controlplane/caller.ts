import type { Peer } from "../grpc/server.ts";
import { readCertificate } from "../pki/certificate.ts";
import type { Identity } from "../pki/spiffe.ts";
import type { ReviewedToken } from "../resources/cluster.ts";
import type { KnownClusters } from "./known-clusters.ts";

/** Who is at the other end, as its credentials prove. */
export interface Caller {
  readonly identity: Identity;
  /** The pod that the token is bound to or the certificate was issued to. */
  readonly podUid: string | undefined;
  readonly podName: string | undefined;
  /** The cluster that its token or certificate is of; absent: a certificate that does not say. */
  readonly clusterId?: string | undefined;
  /** When the proof ends; undefined for tokens, which are checked once. */
  readonly expiresAt: Date | undefined;
  readonly by: "certificate" | "token";
  /** Whether its account may list Secrets of its own namespace; asked for gateways alone. */
  readonly readsSecrets?: boolean;
}

/** The audience that tokens for the control plane are made for. */
export const TOKEN_AUDIENCE = "istio-ca";

const MAX_TOKEN = 16 * 1024;
const EXTRA = "authentication.kubernetes.io";

export interface CallerDeps {
  /** Asks the API server of a cluster. */
  readonly reviewToken: (
    token: string,
    audiences: readonly string[],
    clusterId: string | undefined,
  ) => Promise<ReviewedToken | undefined>;
  /** Which clusters there are; default: nobody asks. */
  readonly clusters?: Pick<KnownClusters, "named" | "labelled">;
  /** Our own trust domain first, then its aliases. */
  readonly trustDomains: () => readonly [string, ...string[]];
  /** Whether a certificate (DER) is on a revocation list: such a one counts as none. */
  readonly isRevoked?: (certificate: Uint8Array) => boolean;
}

/**
 * Finds out who calls: by the client certificate that the transport verified, else by the bearer token, which is reviewed by the
 * API server of the cluster that the caller says it is in, and of no other: the same account of another cluster may be somebody
 * else. Undefined when neither proves a service account. Throws what reviewToken throws.
 */
export async function authenticate(deps: CallerDeps, peer: Peer): Promise<Caller | undefined> {
  const byCertificate = peer.certificate === undefined ? undefined : fromCertificate(deps, peer.certificate);
  if (byCertificate !== undefined) return byCertificate;
  if (peer.bearer === undefined || peer.bearer.length > MAX_TOKEN || peer.bearer.split(".").length !== 3)
    return undefined;
  const clusterId = deps.clusters?.named(peer.clusterId);
  if (deps.clusters !== undefined && clusterId === undefined) return undefined;
  const reviewed = await deps.reviewToken(peer.bearer, [TOKEN_AUDIENCE], clusterId);
  return reviewed === undefined ? undefined : fromToken(deps, reviewed, clusterId);
}

function fromCertificate(deps: CallerDeps, der: Buffer): Caller | undefined {
  const facts = readCertificate(der);
  if (deps.isRevoked?.(der) === true) return undefined;
  if (facts.identity === undefined || !deps.trustDomains().includes(facts.identity.trustDomain)) return undefined;
  const { identity, podUid, notAfter } = facts;
  const clusterId = deps.clusters?.labelled(facts.cluster);
  return { identity, podUid, podName: undefined, clusterId, expiresAt: notAfter, by: "certificate" };
}

/** Words for a caller that nothing proves. */
export function unprovenWords({ clusterId }: Pick<Peer, "clusterId">): string {
  const words = "neither the client certificate nor the token proves a service account";
  return clusterId === undefined ? words : `${words} of cluster ${JSON.stringify(clusterId.slice(0, 80))}`;
}

function fromToken(deps: CallerDeps, token: ReviewedToken, clusterId: string | undefined): Caller | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(token.username);
  if (match === null || !token.groups.includes("system:serviceaccounts")) return undefined;
  const [, namespace = "", serviceAccount = ""] = match;
  return {
    identity: { trustDomain: deps.trustDomains()[0], namespace, serviceAccount },
    podUid: token.extra[`${EXTRA}/pod-uid`]?.[0],
    podName: token.extra[`${EXTRA}/pod-name`]?.[0],
    clusterId,
    expiresAt: undefined,
    by: "token",
  };
}
