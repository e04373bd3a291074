import type { FieldPath, ObjectRef } from "./refs.ts";

/** What kind of Envoy object a patch changes. */
export type PatchTarget =
  | "LISTENER"
  | "FILTER_CHAIN"
  | "NETWORK_FILTER"
  | "HTTP_FILTER"
  | "LISTENER_FILTER"
  | "ROUTE_CONFIGURATION"
  | "VIRTUAL_HOST"
  | "HTTP_ROUTE"
  | "CLUSTER"
  | "EXTENSION_CONFIG";

export type PatchOperation =
  | "MERGE"
  | "MERGE_AND_REPLACE_LIST"
  | "ADD"
  | "REMOVE"
  | "REPLACE"
  | "INSERT_BEFORE"
  | "INSERT_AFTER"
  | "INSERT_FIRST";

/** One change of an EnvoyFilter to the Envoy objects of a proxy, in the order of the list it stands in. */
export interface EnvoyPatch {
  readonly applyTo: PatchTarget;
  readonly operation: PatchOperation;
  readonly context: "ANY" | "SIDECAR_INBOUND" | "SIDECAR_OUTBOUND" | "GATEWAY";
  readonly filterClass: "UNSPECIFIED" | "AUTHN" | "AUTHZ" | "STATS";
  readonly listener?: ListenerMatch;
  readonly routes?: RoutesMatch;
  readonly cluster?: ClusterMatch;
  /** As the user wrote it. */
  readonly value: unknown;
  readonly from: ObjectRef;
  readonly path: FieldPath;
}

export interface ListenerMatch {
  readonly name?: string;
  readonly portNumber?: number;
  readonly listenerFilter?: string;
  readonly filterChain?: {
    readonly name?: string;
    readonly sni?: string;
    readonly transportProtocol?: string;
    /** Separated by commas. */
    readonly applicationProtocols?: string;
    readonly destinationPort?: number;
    readonly filter?: { readonly name?: string; readonly subFilter?: { readonly name?: string } };
  };
}

export interface RoutesMatch {
  readonly name?: string;
  readonly portNumber?: number;
  readonly portName?: string;
  readonly gateway?: string;
  readonly vhost?: {
    readonly name?: string;
    readonly domainName?: string;
    readonly route?: { readonly name?: string; readonly action?: "ANY" | "ROUTE" | "REDIRECT" | "DIRECT_RESPONSE" };
  };
}

export interface ClusterMatch {
  readonly name?: string;
  readonly service?: string;
  readonly portNumber?: number;
  readonly subset?: string;
}
