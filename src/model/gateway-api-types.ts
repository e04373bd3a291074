import type { gatewayApiCodes } from "../diagnostics/codes/gateway-api.ts";
import type { FieldPath, ObjectRef } from "../diagnostics/finding.ts";
import type { KindName, KindTypes } from "../resources/kinds.ts";

/** Group of Gateway API's kinds. */
export const GATEWAY_GROUP = "gateway.networking.k8s.io";

export type ApiGateway = KindTypes["KubernetesGateway"];

/** Kinds of routes. */
export const ROUTE_KINDS = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"] as const;
export type RouteKind = (typeof ROUTE_KINDS)[number];

type GatewayApiCode = keyof typeof gatewayApiCodes;

/** What has to be known before something counts as missing: with files alone it may stand elsewhere. */
export interface Need {
  readonly kind: KindName;
  readonly namespace: string;
}

/** What is wrong at a field of an object: both the finding and, where the API has one, the condition are made from it. */
export type Problem = {
  readonly [C in GatewayApiCode]: {
    readonly code: C;
    readonly path: FieldPath;
    readonly args: Parameters<(typeof gatewayApiCodes)[C]["message"]>[0];
    readonly needs?: Need;
    /** The API's reason, where the code stands for several. */
    readonly reason?: string;
  };
}[GatewayApiCode];

/** A reference to an object, every default filled in. */
export interface ApiRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A listener of a Gateway, read. */
export interface Listener {
  readonly gateway: ObjectRef;
  readonly index: number;
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  /** `*` for any host. */
  readonly hostname: string;
  readonly mode: "Terminate" | "Passthrough" | undefined;
  /** Kinds of routes it takes; none when it allows only kinds that do not fit. */
  readonly kinds: readonly RouteKind[];
  /** Secrets with its certificates that may be used. */
  readonly certificates: readonly { readonly namespace: string; readonly name: string }[];
  /** How many authorities client certificates are to be checked by; 0: clients need none. */
  readonly authorityRefs: number;
  readonly problems: readonly Problem[];
  /** Something that makes no listener wrong, but is worth a condition. */
  readonly overlaps: readonly Problem[];
}

/** A route of any kind in one form; paths point into the object. */
export interface ApiRoute {
  readonly ref: ObjectRef;
  readonly kind: RouteKind;
  readonly generation: number;
  readonly hostnames: readonly string[];
  readonly parents: readonly RouteParent[];
  readonly rules: readonly RouteRule[];
}

/** One of a route's parentRefs, as `index` in the list. */
export interface RouteParent extends ApiRef {
  readonly index: number;
  /** As its author wrote it: that is how a status speaks of it. */
  readonly written: Readonly<Record<string, string | number>>;
  readonly sectionName: string | undefined;
  readonly port: number | undefined;
}

export interface RouteRule {
  readonly index: number;
  readonly name: string;
  /** Each match in one canonical text (equal texts mean equal matches), and in words. Empty for TCP and TLS. */
  readonly matches: readonly { readonly key: string; readonly words: string; readonly path: FieldPath }[];
  readonly backends: readonly RouteBackend[];
  readonly filters: readonly { readonly type: string; readonly path: FieldPath }[];
}

/** Where a rule, or its mirror, sends requests. */
export interface RouteBackend extends ApiRef {
  readonly path: FieldPath;
  readonly port: number | undefined;
  readonly weight: number;
  /** Gets copies only. */
  readonly mirror: boolean;
}

/** A route at a listener: what compile makes virtual hosts of. */
export interface Attachment {
  readonly gateway: ObjectRef;
  readonly listener: string;
  readonly port: number;
  readonly protocol: string;
  /** Hosts that both want, the narrower of each pair; `*` for any. */
  readonly hostnames: readonly string[];
  /** The parentRef that asked for it. */
  readonly path: FieldPath;
}

/** What came of one parentRef. */
export interface ParentOutcome {
  readonly parent: RouteParent;
  /** Who serves the parent; undefined when it is not there, or none of ours (then there is no problem either). */
  readonly controller: string | undefined;
  readonly attachments: readonly Attachment[];
  /** Why nothing is attached. */
  readonly problem: Problem | undefined;
}
