import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import { errorText } from "../base/errors.ts";
import { decodeMessage, encodeMessage, type Messages } from "../wire/codec.ts";
import { bytesMethod, type GrpcService, peerOf, type Refusal, statusOf } from "./server.ts";

type Request = Messages["envoy.service.ratelimit.v3.RateLimitRequest"];
type Response = Messages["envoy.service.ratelimit.v3.RateLimitResponse"];

export const RATE_LIMIT_METHOD = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
export const MERGE_METHOD = "/meshctl.ratelimit.v1.Peer/MergeCounts";
/** Metadata by which a replica says that the one it asks is to count itself. */
export const COUNT_HERE = "x-meshctl-count-here";

/** How often something was counted in a window; seconds since the epoch. */
export interface SharedCount {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly hits: number;
}

/** Who answers. */
export interface RateLimitHandlers {
  /** Whether a certificate (DER) is a replica's: only those may hand counts on. */
  isReplica(certificate: Uint8Array): boolean;
  answer(request: Request, forwarded: boolean): Promise<Response>;
  merge(counts: readonly SharedCount[]): void;
}

/** Envoy's rate limit service, and what replicas tell each other. Callers without a certificate of the mesh are refused. */
export function rateLimitServices(handlers: RateLimitHandlers): readonly GrpcService[] {
  const unary = { request: false, response: false };
  const ask: Handler = async (call, certificate) => {
    const forwarded = call.metadata.get(COUNT_HERE).length > 0 && handlers.isReplica(certificate);
    const request = decodeMessage("envoy.service.ratelimit.v3.RateLimitRequest", call.request);
    return encodeMessage("envoy.service.ratelimit.v3.RateLimitResponse", await handlers.answer(request, forwarded));
  };
  const merge: Handler = (call, certificate) => {
    if (!handlers.isReplica(certificate)) return Promise.resolve("PERMISSION_DENIED");
    const { counts = [] } = decodeMessage("meshctl.ratelimit.v1.MergeCountsRequest", call.request);
    handlers.merge(
      counts.map(({ key = "", window_start: start = 0, window_end: end = 0, hits = 0 }) => ({ key, start, end, hits })),
    );
    return Promise.resolve(encodeMessage("meshctl.ratelimit.v1.MergeCountsResponse", {}));
  };
  return [
    {
      definition: { ShouldRateLimit: bytesMethod(RATE_LIMIT_METHOD, unary) },
      implementation: { ShouldRateLimit: answering(ask) },
    },
    {
      definition: { MergeCounts: bytesMethod(MERGE_METHOD, unary) },
      implementation: { MergeCounts: answering(merge) },
    },
  ];
}

type Call = ServerUnaryCall<Buffer, Buffer>;
type Handler = (call: Call, certificate: Uint8Array) => Promise<Uint8Array | Refusal>;

function answering(handle: Handler): (call: Call, answer: sendUnaryData<Buffer>) => void {
  return (call, answer) => {
    const { certificate } = peerOf(call);
    if (certificate === undefined) return answer(statusOf("UNAUTHENTICATED", "no certificate of the mesh"));
    handle(call, certificate).then(
      (given) => {
        if (typeof given === "string") answer(statusOf(given, "only replicas of the service may do this"));
        else answer(null, Buffer.from(given));
      },
      (error: unknown) => answer(statusOf("INVALID_ARGUMENT", errorText(error))),
    );
  };
}
