import type { Provenance } from "./provenance.ts";
import type { RateLimits } from "./rate-limit.ts";

/** What a workload or a gateway asks of whoever calls it, beyond mutual TLS. A key that is absent asks nothing. */
export interface Security {
  /** Issuers whose tokens count, sorted by issuer. */
  readonly tokens?: readonly TokenRule[];
  readonly authorization?: Authorization;
  /** How often they may call: limits of policies, in the order in which they are asked. */
  readonly rateLimits?: readonly RateLimits[];
}

/** Authorization in the order in which it decides: CUSTOM, AUDIT (which only notes), DENY, ALLOW. Absent: no such policy. */
export interface Authorization {
  readonly custom?: CustomPolicies;
  readonly audit?: PolicySet;
  readonly deny?: PolicySet;
  readonly allow?: PolicySet;
}

/** Rules of all policies of one action. A list that is there but empty matches nothing: of ALLOW that refuses everything. */
export interface PolicySet {
  readonly enforced?: readonly PolicyRule[];
  /** Of policies that are only tried out. */
  readonly dryRun?: readonly PolicyRule[];
}

export interface CustomPolicies extends PolicySet {
  /** Name of the provider that decides. */
  readonly providerName: string;
  /** undefined: there is none such, it cannot be reached, or policies name several; what matches is then refused. */
  readonly provider: AuthorizerService | undefined;
}

/**
 * One rule: some part of `from` and some part of `to` have to hold. Conditions of a part all have to hold; an empty part
 * holds always, an empty list of parts never.
 */
export interface PolicyRule {
  /** `ns[shop]-policy[viewer]-rule[0]`: as it stands in Envoy's configuration, metadata and answers. */
  readonly name: string;
  readonly from: readonly (readonly Condition[])[];
  readonly to: readonly (readonly Condition[])[];
  readonly provenance: Provenance;
}

/**
 * One attribute: one of `values` (unless there are none) and none of `notValues`. `*` alone is presence, at an end a suffix
 * or prefix. Attributes are those of `when` (control-plane.md 3.8) and `request.host`, `request.method`, `request.path`.
 */
export interface Condition {
  readonly attribute: string;
  readonly values: readonly string[];
  readonly notValues: readonly string[];
}

/** An external authorizer of the mesh configuration. Durations in milliseconds. */
export interface AuthorizerService {
  readonly cluster: string;
  readonly host: string;
  readonly timeoutMs: number;
  /** A request passes when the authorizer fails. */
  readonly failOpen: boolean;
  /** Status of the answer when the authorizer fails and that is not let through; absent: 403. */
  readonly statusOnError?: number;
  readonly body?: { readonly maxBytes: number; readonly allowPartial: boolean; readonly asBytes: boolean };
  /** Absent: it speaks gRPC. Header names may start or end with `*`. */
  readonly http?: {
    readonly pathPrefix: string;
    readonly headersInCheck: readonly string[];
    readonly addedHeaders: readonly (readonly [name: string, value: string])[];
    readonly toUpstreamOnAllow: readonly string[];
    readonly toDownstreamOnDeny: readonly string[];
    readonly toDownstreamOnAllow: readonly string[];
  };
}

/** One issuer of tokens. */
export interface TokenRule {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Its keys as a JSON Web Key Set; a set without usable key when they could not be had: no token passes then. */
  readonly keys: string;
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[];
  readonly fromParams: readonly string[];
  readonly fromCookies: readonly string[];
  /** "" for none. */
  readonly payloadHeader: string;
  readonly claimHeaders: readonly { readonly header: string; readonly claim: string }[];
  readonly forwardToken: boolean;
  /** Sorted. */
  readonly spaceDelimitedClaims: readonly string[];
  readonly provenance: Provenance;
}
