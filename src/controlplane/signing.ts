import { durationMs } from "../base/duration.ts";
import { ClusterError, MeshError } from "../base/errors.ts";
import type { PeerLabels } from "../base/peer.ts";
import type { SigningAnswer, SigningRequest } from "../grpc/ca-server.ts";
import type { Refusal } from "../grpc/server.ts";
import { type Ca, signWorkload } from "../pki/ca.ts";
import type { SigningFacts, SigningResult } from "./audit.ts";
import { type Caller, unprovenWords } from "./caller.ts";
import type { ExternalRequest } from "./external-signer.ts";

/** Seconds that certificates last: when nothing is asked, and at most. */
export interface Lifetimes {
  readonly usual: number;
  readonly most: number;
}

/** As Istio has them. */
export const LIFETIMES: Lifetimes = { usual: 24 * 3600, most: 90 * 24 * 3600 };

/** What the control plane's environment says under Istio's names. Throws MeshError `environment` for what is no duration. */
export function lifetimes(env: Readonly<Record<string, string | undefined>>): Lifetimes {
  const seconds = (name: string, usual: number): number => {
    const text = env[name];
    if (text === undefined || text === "") return usual;
    const ms = durationMs(text);
    if (ms !== undefined && ms > 0) return ms / 1000;
    throw new MeshError("environment", `${name}: expected a duration such as 24h, got ${text}`);
  };
  return {
    usual: seconds("DEFAULT_WORKLOAD_CERT_TTL", LIFETIMES.usual),
    most: seconds("MAX_WORKLOAD_CERT_TTL", LIFETIMES.most),
  };
}

export interface SigningDeps {
  readonly ca: () => Ca;
  /** PEM of all roots that workloads are to trust. */
  readonly roots: () => string;
  /** Signs in place of the CA. */
  readonly external?: ((request: ExternalRequest) => Promise<readonly string[]>) | undefined;
  readonly authenticate: (peer: SigningRequest["peer"]) => Promise<Caller | undefined>;
  /**
   * What the caller's pod tells its peers. Undefined: the caller names a pod that is not known (yet), or is another account's.
   */
  readonly peerOf: (caller: Caller, peer: SigningRequest["peer"]) => Promise<PeerLabels | undefined>;
  /** Seconds that a certificate lasts. */
  readonly lifetimes: Lifetimes;
  readonly now: () => number;
  readonly onResult: (result: SigningResult, facts: SigningFacts) => void;
}

/** Clocks of nodes differ. */
const SKEW_MS = 2 * 60_000;

/** Answers the CA service: the identity is the caller's, whatever the request says. */
export function createSigner(deps: SigningDeps): (request: SigningRequest) => Promise<SigningAnswer> {
  return async ({ peer, csr, validitySeconds, impersonated, certSigner }) => {
    const caller = await deps.authenticate(peer);
    const refuse = (result: SigningResult, status: Refusal, reason: string): SigningAnswer => {
      deps.onResult(result, { peer, reason, ...(caller === undefined ? {} : { caller }) });
      return { refusal: { status, details: reason } };
    };
    if (caller === undefined) {
      return refuse("unauthenticated", "UNAUTHENTICATED", unprovenWords(peer));
    }
    if (impersonated !== undefined)
      return refuse(
        "refused",
        "PERMISSION_DENIED",
        `certificates of others, such as ${impersonated}, are given to nobody`,
      );
    const seconds = Number.isFinite(validitySeconds) && validitySeconds > 0 ? validitySeconds : deps.lifetimes.usual;
    if (seconds > deps.lifetimes.most)
      return refuse(
        "refused",
        "INVALID_ARGUMENT",
        `expected a validity of at most ${deps.lifetimes.most} s, got ${seconds}`,
      );
    const labels = await deps.peerOf(caller, peer);
    if (labels === undefined)
      return refuse("refused", "UNAVAILABLE", "the pod of the caller is not known to the control plane");
    try {
      const { identity } = caller;
      const chain =
        deps.external === undefined
          ? await own(deps, { csr, seconds, caller, labels })
          : await deps.external({ csr, seconds, identity, certSigner });
      deps.onResult("issued", { peer, caller, certificate: chain[0] ?? "" });
      return { chain: [...chain, deps.roots()] };
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
      if (error instanceof ClusterError) return refuse("refused", "UNAVAILABLE", error.message);
      return refuse("bad-csr", "INVALID_ARGUMENT", error.message);
    }
  };
}

/** Signed by our CA: the leaf, then what stands between it and the roots. */
async function own(
  deps: SigningDeps,
  of: { readonly csr: string; readonly seconds: number; readonly caller: Caller; readonly labels: PeerLabels },
): Promise<readonly string[]> {
  const { identity, podUid } = of.caller;
  const now = deps.now();
  const validity = { notBefore: new Date(now - SKEW_MS), notAfter: new Date(now + of.seconds * 1000) };
  const subject = { identity, peer: of.labels, ...(podUid === undefined ? {} : { podUid }) };
  const ca = deps.ca();
  return [await signWorkload(ca, of.csr, subject, validity), ...ca.intermediates];
}
