import { createHash } from "node:crypto";
import { MeshError } from "../base/errors.ts";
import { createRateLimit, type Rate } from "../base/rate-limit.ts";
import type { SigningAnswer, SigningRequest } from "../grpc/ca-server.ts";
import type { Peer } from "../grpc/server.ts";
import type { SigningFacts } from "./audit.ts";
import type { Caller } from "./caller.ts";
import { createFairQueue } from "./fair-queue.ts";

/** A workload asks for two certificates a day, and a few more while it starts. */
const PER_CREDENTIAL: Rate = { burst: 100, perSecond: 5 };
/** Signing is done by four threads; what runs beside them is reviews by the API server. */
const SIGNING = { concurrency: 8, perClient: 1_000, total: 20_000 };
const REVIEWS = { concurrency: 32, perClient: 1_000, total: 20_000 };

export interface SigningLimits {
  /** Told of each request that was turned away. */
  readonly onLimited: (facts: SigningFacts) => void;
  /** In milliseconds. */
  readonly now?: () => number;
}

type Sign = (request: SigningRequest) => Promise<SigningAnswer>;

/**
 * Signing within limits. One credential gets certificates at a rate; and clients take turns, told apart by their address, so that
 * one that asks ten thousand times waits for itself. Who is over a limit reads RESOURCE_EXHAUSTED and tries again later.
 */
export function limitSigning(sign: Sign, { onLimited, now }: SigningLimits): Sign {
  const rate = createRateLimit(PER_CREDENTIAL, now);
  const queue = createFairQueue(SIGNING);
  return async (request) => {
    const exhausted = (reason: string): SigningAnswer => {
      onLimited({ peer: request.peer, reason });
      return { refusal: { status: "RESOURCE_EXHAUSTED", details: reason } };
    };
    const credential = credentialOf(request.peer);
    if (credential !== undefined && !rate.take(credential))
      return exhausted("this credential asked for too many certificates, ask again later");
    try {
      return await queue.run(hostOf(request.peer.address), () => sign(request));
    } catch (error) {
      if (error instanceof MeshError && error.code === "busy") return exhausted(error.message);
      throw error;
    }
  };
}

/** Finding out who calls, in turns: each token costs a question to the API server. Rejects with MeshError `busy`. */
export function limitReviews(
  authenticate: (peer: Peer) => Promise<Caller | undefined>,
): (peer: Peer) => Promise<Caller | undefined> {
  const queue = createFairQueue(REVIEWS);
  return (peer) => queue.run(hostOf(peer.address), () => authenticate(peer));
}

/** A name of the credential that does not give it away; undefined when none was shown. */
function credentialOf({ certificate, bearer }: Peer): string | undefined {
  const shown = certificate ?? bearer;
  return shown === undefined ? undefined : createHash("sha256").update(shown).digest("base64");
}

/** The address without the port that a call's peer has: `10.1.2.3:4567`, `::1:4567`. */
function hostOf(address: string): string {
  return address.replace(/:\d+$/, "");
}
