import type { StringMatch } from "./string-match.ts";
import type { Session } from "./service.ts";

/**
 * What a route may ask for besides its action. Every key is optional and absent by default; each is made by one file of
 * src/compile/route-features and read by one file of src/xds (route-features, or filters when an HTTP filter does it).
 * Durations in milliseconds.
 */
export interface RouteFeatures {
  /** For the whole request, retries included; absent: no limit. */
  readonly timeoutMs?: number;
  readonly retries?: RetryPolicy;
  readonly rewrite?: Rewrite;
  readonly headers?: HeaderChanges;
  readonly cors?: CorsPolicy;
  readonly fault?: Fault;
  readonly mirrors?: readonly Mirror[];
  /** What decides which endpoint of a consistently hashing cluster gets the request, in order of importance. */
  readonly hash?: readonly HashKey[];
  /** Requests of one session stay with one endpoint. */
  readonly session?: Session;
  /** Gives the route statistics of its own. */
  readonly statPrefix?: string;
}

/** What one destination of a route may ask for. */
export interface TargetFeatures {
  readonly headers?: HeaderChanges;
}

export interface RetryPolicy {
  readonly attempts: number;
  /** Envoy's retry_on list, comma separated. */
  readonly on: string;
  readonly retriableStatusCodes: readonly number[];
  readonly perTryTimeoutMs: number | undefined;
  /** Base pause before a retry; absent: Envoy's own. */
  readonly backoffMs?: number;
  /** A retry goes to another host than those tried, where there is one. */
  readonly otherHost: boolean;
  /** A retry may leave the priority (locality) that the first try went to. */
  readonly otherPriority?: boolean;
}

/** `path`: prefix replaces what matched (the whole path where no prefix did); regex replaces each place it matches. */
export interface Rewrite {
  readonly path?:
    | { readonly kind: "prefix"; readonly value: string }
    | { readonly kind: "regex"; readonly pattern: string; readonly substitution: string };
  readonly host?: string;
}

/** Sorted by name. Values are texts of the user: what looks like a variable of Envoy is one. */
export interface HeaderOperations {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export interface HeaderChanges {
  readonly request: HeaderOperations;
  readonly response: HeaderOperations;
  /** New Host header for what is forwarded. */
  readonly host?: string;
}

export interface CorsPolicy {
  readonly origins: readonly StringMatch[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number;
  readonly credentials?: boolean;
  /** Preflights of other origins go to the service instead of being answered. */
  readonly forwardUnmatched: boolean;
}

/** Shares in millionths. */
export interface Fault {
  readonly delay?: { readonly ms: number; readonly share: number };
  readonly abort?: {
    readonly share: number;
    readonly status: { readonly http: number } | { readonly grpc: number };
  };
}

/** A copy of the request for another cluster; share in millionths. */
export interface Mirror {
  readonly cluster: string;
  readonly share: number;
}

export type HashKey =
  | { readonly kind: "header"; readonly name: string }
  | { readonly kind: "source-ip" }
  | { readonly kind: "query"; readonly name: string }
  | {
      readonly kind: "cookie";
      readonly name: string;
      readonly path: string;
      /** Absent: no cookie is made. 0: one for the session. */
      readonly ttlMs?: number;
      readonly attributes: readonly (readonly [name: string, value: string])[];
    };
