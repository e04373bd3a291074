import { type Answer, ask } from "./browser.ts";

// What the page shows, by the shapes of the endpoints it comes from; each has a schema in schemas/page/.

/** `/debug/syncz` */
export interface Proxy {
  readonly proxy: string;
  readonly proxy_type: string;
  readonly cluster_id: string;
  readonly istio_version: string;
  readonly connected_at: string;
  readonly certificate_expires?: string;
  readonly types: Readonly<Record<string, TypeState | undefined>>;
}

/** How one type of configuration stands. */
export interface TypeState {
  readonly status: string;
  readonly lastError?: string;
  readonly pendingCount?: number;
}

/** One of `/debug/analysis`. */
export interface Finding {
  readonly code: string;
  readonly level: string;
  readonly object?: { readonly kind: string; readonly namespace?: string; readonly name: string };
  readonly path?: readonly (string | number)[];
  readonly message: string;
  readonly hint?: string;
  readonly documentationUrl?: string;
}

/** `/debug/authority` */
export interface Authority {
  readonly trustDomain: string;
  readonly signs: boolean;
  readonly certificates: readonly {
    readonly role: string;
    readonly subject: string;
    readonly serial: string;
    readonly fingerprint: string;
    readonly notBefore: string;
    readonly notAfter: string;
  }[];
}

/** `/debug/about` */
export interface About {
  readonly version: string;
  readonly instance: string;
  readonly revision: string;
  readonly namespace: string;
  readonly cluster: string;
  readonly node: string;
  readonly startedAt: string;
  readonly memoryBytes: number;
  readonly ports: Readonly<Record<string, number>>;
}

/** One of `/debug/scopez`. */
export interface Scope {
  readonly scope_name: string;
  readonly description: string;
  readonly log_level: string;
}

/** One of `/debug/registryz`. */
export interface Service {
  readonly hostname: string;
  readonly Attributes: { readonly Namespace: string };
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly MeshExternal: boolean;
}

/** `observed`, which `meshctl dashboard mesh` answers itself. */
export interface Observed {
  readonly seconds?: number;
  readonly nodes: readonly { readonly id: string; readonly name: string; readonly namespace?: string }[];
  readonly edges: readonly ObservedEdge[];
}

/** Calls from one node to another. */
export interface ObservedEdge {
  readonly from: string;
  readonly to: string;
  readonly service: string;
  readonly protocol?: string;
  readonly security?: string;
  readonly requests?: number;
  readonly rps?: number;
  readonly success?: number;
  readonly p99?: number;
}

/** A pod with a proxy that no control plane knows; `meshctl dashboard mesh` answers `lost` itself. */
export interface LostProxy {
  readonly name: string;
  readonly namespace: string;
}

/** Everything that the page asks again and again. */
export interface Mesh {
  readonly proxies: Answer<readonly Proxy[]>;
  readonly findings: Answer<{ readonly findings: readonly Finding[] }>;
  readonly authority: Answer<Authority>;
  readonly about: Answer<About>;
  readonly scopes: Answer<readonly Scope[]>;
  readonly services: Answer<readonly Service[]>;
  readonly observed: Answer<Observed>;
  readonly lost: Answer<readonly LostProxy[]>;
}

/** Asks all of it at once. */
export async function askMesh(): Promise<Mesh> {
  const [proxies, findings, authority, about, scopes, services, observed, lost] = await Promise.all([
    ask<Proxy[]>("../debug/syncz"),
    ask<{ findings: Finding[] }>("../debug/analysis"),
    ask<Authority>("../debug/authority"),
    ask<About>("../debug/about"),
    ask<Scope[]>("../debug/scopez"),
    ask<Service[]>("../debug/registryz"),
    ask<Observed>("observed"),
    ask<LostProxy[]>("lost"),
  ]);
  return { proxies, findings, authority, about, scopes, services, observed, lost };
}

/** Whether the control plane answers at all: what it says of itself it always can. */
export function isAnswering({ about }: Mesh): boolean {
  return "data" in about;
}

/** The worst of a proxy's types, in the words of proxy-status. */
export function stateOf({ types }: Proxy): string {
  const states = Object.values(types).map((type) => type?.status);
  return ["NACK", "STALE"].find((state) => states.includes(state)) ?? "SYNCED";
}

/** Days until a moment, a fraction for less than one; negative when it is past. */
export function daysUntil(iso: string, now: number): number {
  return (Date.parse(iso) - now) / 86_400_000;
}

/** A span of time as people say it, rounded down: `7 min`, `23 h`, `59 days`, `5 years`; "past" for one below zero. */
export function spanText(days: number): string {
  if (days < 0) return "past";
  const [, unit, size] = UNITS.find(([limit]) => days < limit) ?? LONGEST;
  return `${Math.floor(days / size)} ${unit}`;
}

const LONGEST = [Number.POSITIVE_INFINITY, "years", 365.25] as const;
/** Up to how many days a unit is used, and how many days it has. */
const UNITS: readonly (readonly [limit: number, unit: string, size: number])[] = [
  [1 / 12, "min", 1 / 1440],
  [2, "h", 1 / 24],
  [730, "days", 1],
];
