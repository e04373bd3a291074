import type { Provenance } from "./provenance.ts";

/** A string condition; regex is RE2 and must match the whole value. */
export type StringMatch =
  | { readonly kind: "exact"; readonly value: string }
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly value: string }
  | { readonly kind: "present" };

export interface HeaderMatch {
  readonly name: string;
  readonly match: StringMatch;
  readonly invert: boolean;
}

/** Conditions of one route; all must hold. `path` absent means any path. */
export interface RouteMatch {
  readonly path: StringMatch | undefined;
  /** Gateway API and Ingress prefixes end at a path separator. */
  readonly pathSeparatedPrefix: boolean;
  readonly ignoreCase: boolean;
  readonly headers: readonly HeaderMatch[];
  readonly queryParams: readonly { readonly name: string; readonly match: StringMatch }[];
}

export interface WeightedCluster {
  readonly cluster: string;
  readonly weight: number;
  readonly provenance: Provenance;
}

export interface RetryPolicy {
  readonly attempts: number;
  /** Envoy's retry_on list, comma separated. */
  readonly on: string;
  readonly retriableStatusCodes: readonly number[];
  readonly perTryTimeoutMs: number | undefined;
}

export type RouteAction =
  | {
      readonly kind: "forward";
      readonly clusters: readonly WeightedCluster[];
      /** Milliseconds; 0 is none. */
      readonly timeoutMs: number;
      readonly retries: RetryPolicy | undefined;
      readonly prefixRewrite: string | undefined;
      readonly hostRewrite: string | undefined;
    }
  | {
      readonly kind: "redirect";
      readonly status: number;
      readonly path: string | undefined;
      readonly host: string | undefined;
    }
  | { readonly kind: "direct"; readonly status: number; readonly body: string };

export interface HttpRoute {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  /** Operation name of spans: `host:port/path`. */
  readonly operation: string;
  /** Which rule of which object decided this route. */
  readonly provenance: Provenance | undefined;
}

export interface VirtualHost {
  /** `host:port`, `allow_any`, `block_all`, `blackhole:80` */
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly HttpRoute[];
  readonly requireTls: boolean;
}

/** One RDS resource. */
export interface RouteTable {
  /** Sidecar: `80`, `host:port`, `http_proxy`; gateway: `http.80`, `https.443.name.gateway.namespace`. */
  readonly name: string;
  /** Domains carry their port (`http_proxy` serves all ports in one table); false: the port of a Host header is ignored. */
  readonly portInDomains: boolean;
  readonly virtualHosts: readonly VirtualHost[];
}
