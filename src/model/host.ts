/** The DNS suffix of a cluster's services unless the mesh says otherwise. */
export const DEFAULT_DOMAIN = "cluster.local";

/** The fully qualified name of a Service: `web.shop.svc.cluster.local`. */
export function serviceHost(name: string, namespace: string, domain: string = DEFAULT_DOMAIN): string {
  return `${name}.${namespace}.svc.${domain}`;
}

/** Name and namespace of a Service by its fully qualified name; undefined for hosts that are no Service of the cluster. */
export function parseServiceHost(
  host: string,
  domain: string = DEFAULT_DOMAIN,
): { readonly name: string; readonly namespace: string } | undefined {
  const suffix = `.svc.${domain}`;
  if (!host.endsWith(suffix)) return undefined;
  // asked of each host there is: NAME.NAMESPACE is told by its dots, without a list of its parts
  const end = host.length - suffix.length;
  const dot = host.indexOf(".");
  if (dot >= end || host.indexOf(".", dot + 1) !== end) return undefined;
  const name = host.slice(0, dot);
  return name === "*" ? undefined : { name, namespace: host.slice(dot + 1, end) };
}

/**
 * A host as written in an object of `namespace`, made full: a name without dots means a Service of that namespace. Names
 * with dots and wildcards stand as they are, `reviews.shop` too (Istio's rule).
 */
export function resolveHost(host: string, namespace: string, domain: string = DEFAULT_DOMAIN): string {
  return host.includes(".") || host.includes("*") ? host : serviceHost(host, namespace, domain);
}

/** Whether every name of `host` (itself perhaps `*.x`) is one of `pattern`: equal, `*`, or under `*.suffix`. */
export function hostMatches(pattern: string, host: string): boolean {
  if (pattern === host || pattern === "*") return true;
  return pattern.startsWith("*") && host.length >= pattern.length && host.endsWith(pattern.slice(1));
}

/** The narrower of two patterns when one covers the other, else undefined. */
export function narrowerHost(a: string, b: string): string | undefined {
  if (hostMatches(a, b)) return b;
  return hostMatches(b, a) ? a : undefined;
}

/** Sorts the more specific pattern first: exact names, then longer wildcards, then shorter. */
export function bySpecificity(a: string, b: string): number {
  const wild = Number(a.startsWith("*")) - Number(b.startsWith("*"));
  return wild === 0 ? b.length - a.length : wild;
}
