import type { Provenance } from "./provenance.ts";

/** The limits of one policy, as a chain of filters keeps them. */
export interface RateLimits {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  /** Counted by the proxy itself. */
  readonly local: readonly LocalLimit[];
  /** Counted by the rate limit service for all proxies together; absent where there is none. */
  readonly global?: GlobalLimits;
  /** Status of the answer to what is over a limit. */
  readonly status: number;
  /** Percent of the requests over a limit that are refused. */
  readonly enforcedPercent: number;
  /** Answers say how much is left. */
  readonly headers: boolean;
  readonly provenance: Provenance;
}

export interface GlobalLimits {
  readonly limits: readonly GlobalLimit[];
  /** The cluster of the rate limit service, and the name that it is called by. */
  readonly cluster: string;
  readonly host: string;
  readonly timeoutMs: number;
  /** What cannot be counted is refused. */
  readonly failureModeDeny: boolean;
}

/** Which requests a limit counts, and what it counts them by. */
export interface CountedRequests {
  /** Tells the limits of a policy apart. */
  readonly name: string;
  /** All have to hold; of the values of each one: `*` alone is presence, at an end a suffix or prefix. Sorted by attribute. */
  readonly match: readonly RateCondition[];
  /** In the order of the policy. Requests without a value are counted together. */
  readonly keys: readonly RateKey[];
}

export interface RateCondition {
  readonly attribute: RateAttribute;
  readonly values: readonly string[];
}

/** What a condition is about; principals are written without `spiffe://`. */
export type RateAttribute =
  | { readonly kind: "host" | "method" | "path" | "route" | "principal" }
  | { readonly kind: "header" | "claim"; readonly name: string };

export type RateKey =
  | { readonly kind: "header" | "claim"; readonly name: string }
  | { readonly kind: "principal" | "remote-address" };

/** A bucket of tokens for each value of the keys. */
export interface LocalLimit extends CountedRequests {
  readonly maxTokens: number;
  readonly tokensPerFill: number;
  readonly fillIntervalMs: number;
  /** How many values have a bucket at a time. */
  readonly maxValues: number;
}

/** So many requests in each unit of time, for each value of the keys. */
export interface GlobalLimit extends CountedRequests {
  readonly requestsPerUnit: number;
  readonly unit: "SECOND" | "MINUTE" | "HOUR" | "DAY" | "MONTH" | "YEAR";
}
