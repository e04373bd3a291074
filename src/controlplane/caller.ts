import type { Peer } from "../grpc/server.ts";
import { readCertificate } from "../pki/certificate.ts";
import type { Identity } from "../pki/spiffe.ts";
import type { ReviewedToken } from "../resources/cluster.ts";

/** Who is at the other end, as its credentials prove. */
export interface Caller {
  readonly identity: Identity;
  /** The pod that the token is bound to or the certificate was issued to. */
  readonly podUid: string | undefined;
  readonly podName: string | undefined;
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
  readonly reviewToken: (token: string, audiences: readonly string[]) => Promise<ReviewedToken | undefined>;
  /** Our own trust domain first, then its aliases. */
  readonly trustDomains: () => readonly [string, ...string[]];
  /** Whether a certificate (DER) is on a revocation list: such a one counts as none. */
  readonly isRevoked?: (certificate: Uint8Array) => boolean;
}

/**
 * Finds out who calls: by the client certificate that the transport verified, else by the bearer token, which the API server
 * reviews. Undefined when neither proves a service account. Throws what reviewToken throws.
 */
export async function authenticate(deps: CallerDeps, peer: Peer): Promise<Caller | undefined> {
  const byCertificate = peer.certificate === undefined ? undefined : fromCertificate(deps, peer.certificate);
  if (byCertificate !== undefined) return byCertificate;
  if (peer.bearer === undefined || peer.bearer.length > MAX_TOKEN || peer.bearer.split(".").length !== 3)
    return undefined;
  const reviewed = await deps.reviewToken(peer.bearer, [TOKEN_AUDIENCE]);
  return reviewed === undefined ? undefined : fromToken(deps, reviewed);
}

function fromCertificate(deps: CallerDeps, der: Buffer): Caller | undefined {
  const facts = readCertificate(der);
  if (deps.isRevoked?.(der) === true) return undefined;
  if (facts.identity === undefined || !deps.trustDomains().includes(facts.identity.trustDomain)) return undefined;
  const { identity, podUid, notAfter } = facts;
  return { identity, podUid, podName: undefined, expiresAt: notAfter, by: "certificate" };
}

function fromToken(deps: CallerDeps, token: ReviewedToken): Caller | undefined {
  const match = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(token.username);
  if (match === null || !token.groups.includes("system:serviceaccounts")) return undefined;
  const [, namespace = "", serviceAccount = ""] = match;
  return {
    identity: { trustDomain: deps.trustDomains()[0], namespace, serviceAccount },
    podUid: token.extra[`${EXTRA}/pod-uid`]?.[0],
    podName: token.extra[`${EXTRA}/pod-name`]?.[0],
    expiresAt: undefined,
    by: "token",
  };
}
