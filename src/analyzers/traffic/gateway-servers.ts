import { byAge } from "../../model/order.ts";
import { labelsKey, namedSelector } from "../../model/selectors.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * Gateways that choose the same pods share their ports. A port of an address carries plaintext HTTP, or TLS told apart by
 * SNI, or one plaintext TCP server: whoever comes later and does not fit is left out, and only a metric says so. The same
 * TLS host in two Gateways is IST0145.
 */
export const gatewayServers = defineAnalyzer({
  name: "gateway-servers",
  summary: "Finds servers of Gateways that are left out because their port is taken.",
  reads: ["Gateway", "Pod"],
  codes: ["MSH0105"],
  analyze: (input) => {
    for (const group of groupsOf(input)) {
      const taken = new Map<string, Placed[]>();
      for (const server of group) {
        const key = `${server.bind}:${server.port}`;
        const before = taken.get(key);
        const loses = before === undefined ? undefined : conflict(before, server);
        if (loses === undefined) taken.set(key, [...(before ?? []), server]);
        else reportDropped(input, server, loses);
      }
    }
  },
});

type Input = AnalyzerInput<"Gateway" | "Pod", "MSH0105">;
type Gateway = KindTypes["Gateway"];
type Server = NonNullable<NonNullable<Gateway["spec"]>["servers"]>[number];

interface Placed {
  readonly gateway: Gateway;
  readonly index: number;
  readonly bind: string;
  readonly port: number;
  readonly kind: "HTTP" | "TLS" | "TCP";
  readonly hosts: readonly string[];
}

/** Servers that meet on some pod, the older Gateway's first; without pods those of equal selectors. */
function groupsOf({ world, model }: Input): Iterable<readonly Placed[]> {
  const byPlace = new Map<string, Set<Gateway>>();
  const put = (place: string, gateway: Gateway): void => {
    const there = byPlace.get(place);
    if (there === undefined) byPlace.set(place, new Set([gateway]));
    else there.add(gateway);
  };
  for (const gateway of world.list("Gateway")) {
    const selector = namedSelector(gateway.spec?.selector);
    if (selector === undefined) {
      put(`alone ${gateway.metadata.namespace}/${gateway.metadata.name}`, gateway);
      continue;
    }
    put(`selector ${labelsKey(selector)}`, gateway);
    for (const { metadata } of model.workloads.selected(undefined, selector))
      put(`pod ${metadata.namespace}/${metadata.name}`, gateway);
  }
  const distinct = new Map<string, readonly Gateway[]>();
  for (const gateways of byPlace.values()) {
    const sorted = [...gateways].toSorted(byAge);
    distinct.set(sorted.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(" "), sorted);
  }
  return [...distinct.values()].map((gateways) => gateways.flatMap(placed));
}

function placed(gateway: Gateway): readonly Placed[] {
  return (gateway.spec?.servers ?? []).flatMap((server, index) => {
    const kind = kindOf(server);
    const hosts = server.hosts.map((host) => host.slice(host.indexOf("/") + 1));
    const bind = server.bind === undefined || server.bind === "" ? "0.0.0.0" : server.bind;
    return kind === undefined ? [] : [{ gateway, index, bind, port: server.port.number, kind, hosts }];
  });
}

function kindOf({ port, tls }: Server): Placed["kind"] | undefined {
  const protocol = (port.protocol ?? "").toUpperCase();
  if (["HTTP", "HTTP2", "GRPC", "GRPC-WEB"].includes(protocol)) return "HTTP";
  if (["HTTPS", "TLS"].includes(protocol)) return "TLS";
  if (["TCP", "MONGO", "MYSQL", "REDIS"].includes(protocol)) return tls === undefined ? "TCP" : "TLS";
  return undefined;
}

interface Loss {
  readonly winner: Placed;
  readonly reason: string;
}

function conflict(before: readonly Placed[], server: Placed): Loss | undefined {
  const [first] = before;
  if (first === undefined) return undefined;
  if (first.kind !== server.kind)
    return { winner: first, reason: `the port already carries ${first.kind}, this one is ${server.kind}` };
  if (server.kind === "HTTP") return undefined;
  if (server.kind === "TCP") {
    // the same host in two Gateways is IST0145
    const told = first.gateway !== server.gateway && server.hosts.some((host) => first.hosts.includes(host));
    return told ? undefined : { winner: first, reason: "the port already has a TCP server" };
  }
  for (const winner of before) {
    const host =
      winner.gateway === server.gateway ? server.hosts.find((each) => winner.hosts.includes(each)) : undefined;
    if (host !== undefined) return { winner, reason: `host ${host} already has a server there` };
  }
  return undefined;
}

function reportDropped({ report }: Input, { gateway, index, port }: Placed, { winner, reason }: Loss): void {
  const other = `${refText(refOf(winner.gateway))}, server ${winner.index + 1}`;
  report(
    gateway,
    ["spec", "servers", index],
    "MSH0105",
    { port, other, reason },
    {
      object: winner.gateway,
      path: ["spec", "servers", winner.index],
      words: "the server that stays",
    },
  );
}
