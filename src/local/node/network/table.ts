import type { Cache } from "../../controllers/cache.ts";
import { ids } from "../../ids.ts";
import type { EndpointSlice, Service } from "../../shapes.ts";
import type { ServiceEntry, ServiceEntryPort } from "./types.ts";

/** Services with their ready endpoints, sorted by namespace and name. */
export function serviceTable(cache: Cache): readonly ServiceEntry[] {
  const slices = new Map<string, EndpointSlice[]>();
  for (const slice of cache.list<EndpointSlice>(ids.endpointSlices)) {
    const key = `${slice.metadata.namespace ?? ""}/${slice.metadata.labels?.["kubernetes.io/service-name"] ?? ""}`;
    slices.set(key, [...(slices.get(key) ?? []), slice]);
  }
  return cache
    .list<Service>(ids.services)
    .filter((service) => service.spec?.type !== "ExternalName")
    .map((service) =>
      entryOf(service, slices.get(`${service.metadata.namespace ?? ""}/${service.metadata.name}`) ?? []),
    )
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
}

/** One of the ready endpoints behind a port of a Service (`namespace/name`), at random; undefined when there is none. */
export function pickEndpoint(
  services: readonly ServiceEntry[],
  service: string,
  port: number,
): { readonly ip: string; readonly port: number } | undefined {
  const entry = services.find(({ namespace, name }) => `${namespace}/${name}` === service);
  const endpoints = entry?.ports.find((candidate) => candidate.port === port)?.endpoints ?? [];
  return endpoints[Math.floor(Math.random() * endpoints.length)];
}

function entryOf(service: Service, slices: readonly EndpointSlice[]): ServiceEntry {
  const { spec, metadata } = service;
  const clusterIp = spec?.clusterIP === "None" || spec?.clusterIP === "" ? undefined : spec?.clusterIP;
  const ready = slices.map((slice) => ({
    ports: slice.ports ?? [],
    endpoints: (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false),
  }));
  const ports = (spec?.ports ?? []).map((port): ServiceEntryPort => {
    const endpoints = ready.flatMap((slice) => {
      const target = slice.ports.find((entry) => (entry.name ?? "") === (port.name ?? ""))?.port;
      if (target === undefined) return [];
      return slice.endpoints.flatMap(({ addresses }) => addresses.map((ip) => ({ ip, port: target })));
    });
    return { name: port.name ?? "", port: port.port, protocol: port.protocol ?? "TCP", endpoints };
  });
  const members = ready.flatMap((slice) =>
    slice.endpoints.flatMap(({ addresses, hostname }) => addresses.map((ip) => ({ ip, hostname }))),
  );
  return { namespace: metadata.namespace ?? "", name: metadata.name, clusterIp, ports, members };
}
