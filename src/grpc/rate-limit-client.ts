import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { PeerCertificate } from "node:tls";
import { decodeMessage, encodeMessage, type Messages } from "../wire/codec.ts";
import type { SharedCount } from "./rate-limit-server.ts";
import { COUNT_HERE, MERGE_METHOD, RATE_LIMIT_METHOD } from "./rate-limit-server.ts";

type Request = Messages["envoy.service.ratelimit.v3.RateLimitRequest"];
type Response = Messages["envoy.service.ratelimit.v3.RateLimitResponse"];

/** A connection to another replica of the rate limit service; deadlines in milliseconds. Both reject with grpc-js's error. */
export interface PeerClient {
  /** Has it count itself, whomever the descriptors belong to. */
  ask(request: Request, deadlineMs: number): Promise<Response>;
  merge(counts: readonly SharedCount[], deadlineMs: number): Promise<void>;
  close(): void;
}

/** By what a replica shows who it is; the other must be the same. PEM. */
export interface PeerIdentity {
  readonly chain: string;
  readonly key: { pem(): string };
  readonly roots: string;
  /** `spiffe://…`, of both. */
  readonly uri: string;
}

/** Of TLS; nobody goes by it. */
const SERVER_NAME = "ratelimit";

/** Dials when first asked. `replica` is `host:port`. */
export function connectPeer(replica: string, identity: PeerIdentity): PeerClient {
  const { chain, key, roots, uri } = identity;
  const tls = credentials.createSsl(Buffer.from(roots), Buffer.from(key.pem()), Buffer.from(chain), {
    checkServerIdentity: (_, certificate: PeerCertificate) =>
      (certificate.subjectaltname ?? "").split(", ").includes(`URI:${uri}`)
        ? undefined
        : new Error(`${replica} is not ${uri}`),
  });
  const client = new Client(replica, tls, {
    // a server name cannot be an address; who it is is told by its certificate
    "grpc.ssl_target_name_override": SERVER_NAME,
    "grpc.enable_retries": 0,
    // a machine that went away says nothing: its connection ends after two seconds
    "grpc.keepalive_time_ms": 1_000,
    "grpc.keepalive_timeout_ms": 1_000,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_send_message_length": -1,
  });
  const metadata = new Metadata();
  metadata.set(COUNT_HERE, "true");
  const call = <T>(method: string, bytes: Uint8Array, decode: (bytes: Buffer) => T, deadlineMs: number): Promise<T> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method,
        (value: Uint8Array) => Buffer.from(value),
        decode,
        bytes,
        metadata,
        { deadline: Date.now() + deadlineMs },
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else reject(error ?? new Error("no answer"));
        },
      );
    });
  return {
    ask: (request, deadlineMs) =>
      call(
        RATE_LIMIT_METHOD,
        encodeMessage("envoy.service.ratelimit.v3.RateLimitRequest", request),
        (bytes) => decodeMessage("envoy.service.ratelimit.v3.RateLimitResponse", bytes),
        deadlineMs,
      ),
    merge: (counts, deadlineMs) =>
      call(
        MERGE_METHOD,
        encodeMessage("meshctl.ratelimit.v1.MergeCountsRequest", {
          counts: counts.map((count) => ({
            key: count.key,
            window_start: count.start,
            window_end: count.end,
            hits: count.hits,
          })),
        }),
        () => true,
        deadlineMs,
      ).then(() => undefined),
    close: () => client.close(),
  };
}
