import { isIP } from "node:net";
import type { Messages } from "../../wire/codec.ts";

export type NameTable = Messages["istio.networking.nds.v1.NameTable"];

/** Where the names of a table are asked from. */
export interface Asker {
  readonly namespace: string;
  /** Suffix of the cluster's services without namespace, e.g. `svc.cluster.local`. */
  readonly serviceDomain: string;
  /** Domains that clients of this host append; queries come with them. */
  readonly search: readonly string[];
}

/** A name that the mesh knows. */
export interface KnownName {
  readonly ipv4: readonly string[];
  readonly ipv6: readonly string[];
  /** The name that was meant, when the query had a search domain behind it: answered as an alias of it. */
  readonly alias: string | undefined;
}

/** Looks up one name: lower case, without the last dot. */
export type Lookup = (name: string) => KnownName | undefined;

type NameInfo = NonNullable<NameTable["table"]>[string];

/**
 * A table made ready for queries. A name is known in full; a Service also as `web.shop.svc`, `web.shop` and, in its own
 * namespace, `web`; all of them with a search domain behind. `*.example.com` stands for every name below it, the longest first.
 */
export function createLookup(table: NameTable, asker: Asker): Lookup {
  const hosts = new Map(Object.entries(table.table ?? {}).map(([host, info]) => [host.toLowerCase(), info]));
  const found = (name: string): NameInfo | undefined => exact(hosts, asker, name) ?? wildcard(hosts, name);
  return (name) => {
    const direct = found(name);
    if (direct !== undefined) return known(direct, undefined);
    for (const domain of asker.search) {
      if (!name.endsWith(`.${domain}`)) continue;
      const meant = name.slice(0, -domain.length - 1);
      const info = found(meant);
      if (info !== undefined) return known(info, meant);
    }
    return undefined;
  };
}

function exact(
  hosts: ReadonlyMap<string, NameInfo>,
  { namespace, serviceDomain }: Asker,
  name: string,
): NameInfo | undefined {
  const info = hosts.get(name);
  if (info !== undefined) return info;
  const [svc = "", ...domain] = serviceDomain.split(".");
  const short = [`${namespace}.${serviceDomain}`, serviceDomain];
  const suffixes = name.endsWith(`.${svc}`) ? [...short, domain.join(".")] : short;
  for (const suffix of suffixes) {
    const service = hosts.get(`${name}.${suffix}`);
    if (service?.registry === "Kubernetes") return service;
  }
  return undefined;
}

function wildcard(hosts: ReadonlyMap<string, NameInfo>, name: string): NameInfo | undefined {
  for (let dot = name.indexOf("."); dot > 0; dot = name.indexOf(".", dot + 1)) {
    const info = hosts.get(`*${name.slice(dot)}`);
    if (info !== undefined) return info;
  }
  return undefined;
}

function known({ ips = [] }: NameInfo, alias: string | undefined): KnownName {
  return { ipv4: ips.filter((ip) => isIP(ip) === 4), ipv6: ips.filter((ip) => isIP(ip) === 6), alias };
}
