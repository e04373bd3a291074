import type { Provenance } from "./provenance.ts";
import type { RouteFeatures, TargetFeatures } from "./route-features.ts";
import type { StringMatch } from "./string-match.ts";

export interface HeaderMatch {
  readonly name: string;
  readonly match: StringMatch;
  readonly invert: boolean;
}

/** A condition on a claim of the token that the request proved itself by; a claim that is a list has it in one of its items. */
export interface ClaimMatch {
  /** Names from the outside in. */
  readonly path: readonly string[];
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
  /** Absent: none. */
  readonly claims?: readonly ClaimMatch[];
}

/** One destination of a route or connection, and its share. */
export interface WeightedCluster {
  readonly cluster: string;
  readonly weight: number;
  /** What this destination alone asks for; absent: nothing. */
  readonly features?: TargetFeatures;
  readonly provenance: Provenance;
}

/** What happens to a request. What may happen to it besides stands in the route's features. */
export type RouteAction =
  | {
      readonly kind: "forward";
      readonly clusters: readonly WeightedCluster[];
      /** The answer where a cluster is not there; absent: 503. */
      readonly withoutCluster?: 500;
    }
  | {
      readonly kind: "redirect";
      readonly status: number;
      /** The whole new path, or what replaces the matched prefix; undefined: the path stays. */
      readonly path: { readonly kind: "full" | "prefix"; readonly value: string } | undefined;
      readonly host: string | undefined;
      readonly scheme?: string;
      /** Absent: the scheme's own where the scheme changes, else the request's. */
      readonly port?: number;
    }
  | { readonly kind: "direct"; readonly status: number; readonly body: string };

export interface HttpRoute {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  /** Retries, timeouts, header changes ...: each a key, made by one file of compile/route-features, read by one of xds. */
  readonly features: RouteFeatures;
  /** Operation name of spans: `host:port/path`. */
  readonly operation: string;
  /** Which rule of which object decided this route. */
  readonly provenance: Provenance | undefined;
  /** Which field of which object decided a feature; absent for a feature that is a default. */
  readonly origins?: { readonly [K in keyof RouteFeatures]?: Provenance };
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
  /** Port at which the same can be had by HTTP/3: clients are told. Absent: it cannot. */
  readonly http3Port?: number;
}
