import type { XdsConnection } from "../grpc/ads-server.ts";
import type { Refusal } from "../grpc/server.ts";
import type { XdsKind } from "../xds/types.ts";
import type { Caller } from "./caller.ts";
import type { NodeClaim } from "./node.ts";
import type { PushBudget } from "./push-budget.ts";
import type { Snapshot } from "./resource-table.ts";

/** What a stream needs of the rest of the control plane. */
export interface StreamDeps {
  /** Undefined: go ahead. */
  readonly notReady: () => string | undefined;
  /** Who the peer is and whether it may be this node. */
  readonly admit: (
    connection: XdsConnection,
    claim: NodeClaim,
  ) => Promise<{ readonly caller: Caller } | { readonly status: Refusal; readonly details: string }>;
  /**
   * Calls `onSnapshot` with what the proxy is to run, now (in this call, when it is known) and whenever that changes, until
   * the returned function is called.
   */
  readonly follow: (claim: NodeClaim, caller: Caller, onSnapshot: (snapshot: Snapshot) => void) => () => void;
  /** What a workload outside the cluster says of its application: well, or what is wrong. */
  readonly onHealth: (claim: NodeClaim, error: string | undefined) => void;
  readonly onEvent: (event: StreamEvent) => void;
  /** A defect of ours, met while serving one stream: that stream ends. */
  readonly onFault: (error: unknown) => void;
  /** Of all streams together. */
  readonly budget: PushBudget;
  /** Shown to Envoy as the name of its control plane. */
  readonly controlPlane: string;
  readonly now: () => number;
}

/** What metrics and logs want to know. */
export type StreamEvent =
  | { readonly type: "opened" | "closed"; readonly proxy: string }
  | {
      readonly type: "pushed";
      readonly kind: XdsKind;
      readonly proxy: string;
      readonly bytes: number;
      readonly resources: number;
      readonly tookMs: number;
      /** Since something was due for the proxy. */
      readonly queuedMs: number;
    }
  /** The transport took a response. */
  | { readonly type: "taken"; readonly proxy: string; readonly tookMs: number }
  /** An answer to a response that a newer one has replaced: state of the world only. */
  | { readonly type: "expired"; readonly kind: XdsKind; readonly proxy: string }
  | { readonly type: "acked"; readonly kind: XdsKind; readonly proxy: string; readonly sinceMs: number }
  | { readonly type: "refused"; readonly kind: XdsKind; readonly proxy: string; readonly error: string }
  | { readonly type: "turned-away"; readonly reason: string };

/** Timers of a stream, in milliseconds. */
export const STREAM_TIMES = {
  /** A client that opens a stream must say who it is. */
  firstRequest: 15_000,
  /** How long a pod may take to become known to us. */
  unknownPod: 10_000,
  /** A client that does not confirm is served on after this. */
  impatience: 3_000,
  /** A stream ends at this age (and when its certificate does), so that proxies spread over replicas anew. */
  maxAge: 30 * 60_000,
};
