import type { MeshService } from "../../ir/service.ts";
import type { Facts, Guess, Hypothesis } from "../types.ts";
import { envoy, failureText, flagged, kubernetes, logged, object, placeOf, refText, refTo } from "../words.ts";

/** A port is said to speak one protocol and speaks another. */
export const protocols: Hypothesis = {
  name: "protocols",
  codes: ["protocol-mismatch", "client-speaks-no-http"],
  guess: (facts) => [...byServer(facts), ...byClient(facts)],
};

const BROKEN = /protocol_error|codec_error|connection_termination|http[12]\.|UPE/;

const SPOKEN: Readonly<Record<string, string>> = {
  first: "speaks before the client does, as databases and mail servers do",
  tls: "speaks TLS",
  http1: "speaks HTTP/1 only",
  other: "speaks something that is no HTTP",
};

/** What the application speaks is not what its Service's port says. */
function byServer(facts: Facts): readonly Guess[] {
  const { symptom, server, cluster } = facts;
  const isBroken = flagged(symptom, "UPE", "UC", "UR") || BROKEN.test(failureText(symptom));
  const said = isBroken && cluster !== undefined ? declared(facts) : undefined;
  if (said === undefined || server?.speaks === undefined || !isOther(said.protocol, server.speaks)) return [];
  const { service, index, protocol } = said;
  const ref = refTo({ kind: "Service", metadata: service });
  const spoken = SPOKEN[server.speaks] ?? server.speaks;
  return [
    {
      code: "protocol-mismatch",
      object: ref,
      field: `spec.ports[${index}].name`,
      says: `it says that the port speaks ${protocol}, and the application ${spoken}`,
      evidence: [
        logged(facts),
        kubernetes(`asked over a forwarded port, the application ${spoken}`),
        object(ref, `the port's protocol is ${protocol}`),
      ],
      fix: server.speaks === "http1" ? "Name the port http-…." : "Name the port tcp-….",
      weight: 92,
    },
  ];
}

/** Whether an application that speaks so is not what the protocol says. */
function isOther(protocol: string, speaks: string): boolean {
  if (["first", "other"].includes(speaks)) return protocol === "http" || isHttp2(protocol);
  return speaks === "http1" && isHttp2(protocol);
}

function isHttp2(protocol: string): boolean {
  return protocol === "http2" || protocol === "grpc";
}

/** The Service's port that leads to where the request went, and what it says of it. */
function declared(facts: Facts) {
  const { model, cluster, server } = facts;
  for (const service of servicesOf(facts)) {
    const ports = model.world.get("Service", service.namespace, service.from.name)?.spec?.ports ?? [];
    const index = ports.findIndex(({ port, targetPort = port }) =>
      cluster?.direction === "outbound" ? port === cluster.port : targetPort === (cluster?.port ?? server?.port),
    );
    const protocol = service.ports.find(({ number }) => number === ports[index]?.port)?.protocol;
    if (index >= 0 && protocol !== undefined) return { service: service.from, index, protocol };
  }
  return undefined;
}

/** The Service that was asked; for inbound those that select the pod. */
function servicesOf({ model, cluster, proxy }: Facts): readonly MeshService[] {
  const { from } = cluster?.service ?? {};
  const inbound =
    cluster?.direction === "inbound" ? model.serviceSelection.selecting(proxy.namespace, proxy.labels) : [];
  const names =
    from?.kind === "Service"
      ? [from]
      : inbound.map(({ metadata }) => ({ namespace: proxy.namespace, name: metadata.name }));
  return names.flatMap(({ namespace, name }) => model.services.kubernetes(namespace, name) ?? []);
}

/** The caller's bytes are no HTTP, on a port that is. */
function byClient(facts: Facts): readonly Guess[] {
  const { symptom, model, proxy } = facts;
  const isRaw = symptom.upstreamCluster === "BlackHoleCluster" && symptom.method === undefined;
  if (!isRaw && !/http1\.codec_error|http2\.|codec_error/.test(symptom.details ?? "")) return [];
  const place = placeOf(symptom.localAddress);
  const listener = proxy.config.listeners().find(({ address }) => {
    const socket = address?.socket_address;
    return socket?.address === place?.address && socket?.port_value === place?.port;
  });
  const services = model.services
    .all()
    .flatMap((service) =>
      service.from.kind === "Service"
        ? service.ports
            .filter(({ number, protocol }) => protocol.startsWith("http") && stands(facts, service, number))
            .map((port) => ({ service, port }))
        : [],
    );
  return services.slice(0, 1).map(({ service, port }) => {
    const ref = refTo({ kind: "Service", metadata: service.from });
    const index = (model.world.get("Service", service.namespace, service.from.name)?.spec?.ports ?? []).findIndex(
      (one) => one.port === port.number,
    );
    return {
      code: "client-speaks-no-http",
      object: ref,
      field: `spec.ports[${Math.max(0, index)}].name`,
      says: `it says that port ${port.number} speaks ${port.protocol}, and ${refText(proxy.pod)} sent something else`,
      evidence: [
        logged(facts),
        envoy(proxy, `listener ${listener?.name ?? symptom.localAddress ?? ""} takes HTTP alone`),
      ],
      fix: "Name the port tcp-… when the application speaks its own protocol, or let the client speak HTTP.",
      weight: isRaw ? 82 : 75,
    };
  });
}

/** Whether the address dialled is the service's. */
function stands(
  { symptom, proxy }: Facts,
  { addresses, hostname }: { readonly addresses: readonly string[]; readonly hostname: string },
  port: number,
): boolean {
  const place = placeOf(symptom.localAddress);
  if (place === undefined) return false;
  if (addresses.includes(place.address)) return place.port === port;
  // addresses of a proxy's own for services: its listener leads to the service's cluster or routes
  const text = JSON.stringify(
    proxy.config
      .listeners()
      .find(
        ({ address }) =>
          address?.socket_address?.address === place.address && address.socket_address.port_value === place.port,
      ) ?? {},
  );
  return text.includes(`outbound|${port}||${hostname}`) || text.includes(`"${hostname}:${port}"`);
}
