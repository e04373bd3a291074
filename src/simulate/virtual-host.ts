import type { Messages } from "../wire/codec.ts";
import { headerValue, type SimulatedRequest } from "./request.ts";
import type { Rejected } from "./verdict.ts";

type RouteConfiguration = Messages["envoy.config.route.v3.RouteConfiguration"];
type VirtualHost = Messages["envoy.config.route.v3.VirtualHost"];

/** Which virtual host serves a request, by which of its domains, and which it did not reach. */
export interface ChosenHost {
  readonly host: VirtualHost | undefined;
  readonly domain: string | undefined;
  readonly rejected: readonly Rejected[];
}

/**
 * The virtual host of an authority: an exact domain, else the longest `*.suffix`, else the longest `prefix.*`, else `*`
 * (Envoy's RouteMatcher::findVirtualHost). A wildcard stands for at least one character; case does not count.
 */
export function chooseHost(table: RouteConfiguration, request: SimulatedRequest): ChosenHost {
  const given = (headerValue(request, ":authority") ?? "").toLowerCase();
  const authority = table.ignore_port_in_host_matching === true ? withoutPort(given) : given;
  const rejected: Rejected[] = [];
  let best: Ranked | undefined;
  for (const host of table.virtual_hosts ?? []) {
    const domains = (host.domains ?? []).flatMap((domain) => rank(host, domain, authority));
    if (domains.length === 0) rejected.push(missed(host, authority));
    for (const candidate of domains) if (best === undefined || higher(candidate, best) > 0) best = candidate;
  }
  return { host: best?.host, domain: best?.domain, rejected };
}

interface Ranked {
  readonly host: VirtualHost;
  readonly domain: string;
  /** exact 3, suffix 2, prefix 1, any 0 */
  readonly kind: number;
  readonly length: number;
}

function missed(host: VirtualHost, got: string): Rejected {
  return { name: host.name ?? "", miss: { condition: "domain", wanted: (host.domains ?? []).join(" or "), got } };
}

function higher(a: Ranked, b: Ranked): number {
  return a.kind - b.kind || a.length - b.length;
}

/** How specific a domain of a host is for an authority; nothing when it does not match. */
function rank(host: VirtualHost, written: string, authority: string): readonly Ranked[] {
  const domain = written.toLowerCase();
  const length = domain.length - 1;
  const as = (kind: number): readonly Ranked[] => [{ host, domain: written, kind, length }];
  if (domain === "*") return as(0);
  if (domain === authority) return as(3);
  if (authority.length <= length) return [];
  if (domain.startsWith("*") && authority.endsWith(domain.slice(1))) return as(2);
  return domain.endsWith("*") && authority.startsWith(domain.slice(0, -1)) ? as(1) : [];
}

/** Envoy strips what follows the last colon when it is a port; the colons of an IPv6 address stand in brackets. */
function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(":");
  if (colon < 0 || authority.includes("]", colon)) return authority;
  return /^\d+$/.test(authority.slice(colon + 1)) ? authority.slice(0, colon) : authority;
}
