import { compact } from "../base/compact.ts";
import type { Cluster } from "../ir/cluster.ts";
import type { InboundPort } from "../ir/listener.ts";
import type { Protocol } from "../ir/service.ts";
import type { Model } from "../model/model.ts";
import { isHttp, selectProtocol } from "../model/protocol.ts";
import type { SidecarIngress } from "../model/sidecars.ts";
import { poolOf } from "./connection-pool.ts";
import { terminatedTls } from "./gateway-tls.ts";
import type { WorkloadFacts } from "./scope.ts";

/** What a Sidecar says of one port that the workload takes traffic at. */
export type IngressPort = Pick<InboundPort, "targetPort" | "protocol" | "service" | "bind" | "endpoint" | "tls">;

/**
 * The ports of the Sidecar that holds for a workload, in place of those of its services (`known`), whose names metrics go on
 * using; undefined when it lists none.
 */
export function ingressPorts(
  model: Model,
  facts: WorkloadFacts,
  known: readonly Pick<InboundPort, "targetPort" | "service">[],
): readonly IngressPort[] | undefined {
  const { ingress = [] } = model.sidecars.of(facts)?.spec ?? {};
  if (ingress.length === 0) return undefined;
  const taken = new Set<number>();
  return ingress.flatMap((entry): readonly IngressPort[] => {
    const number = entry.port.number ?? 0;
    if (number === 0 || taken.has(number)) return [];
    taken.add(number);
    const service = known.find(({ targetPort }) => targetPort === number)?.service;
    return [compact({ ...portOf(model, facts, entry), targetPort: number, service })];
  });
}

function portOf(
  model: Model,
  facts: WorkloadFacts,
  { port, captureMode, bind = "", defaultEndpoint = "", tls }: SidecarIngress,
): Omit<IngressPort, "targetPort" | "service"> {
  const number = port.number ?? 0;
  const protocol = selectProtocol({ port: number, name: port.name, appProtocol: port.protocol });
  // A sidecar gets no Secrets: a port that waits for one would hold back all others.
  const terminated = tls === undefined ? undefined : terminatedTls({ ...tls, ...FILES_ONLY }, model.meshConfig());
  // Where nothing redirects, each port is a listener anyway.
  const isOwn = captureMode === "NONE" && facts.bind === null;
  return compact({
    protocol: terminated === undefined ? protocol : (INSIDE[protocol] ?? protocol),
    bind: isOwn ? bind || "0.0.0.0" : undefined,
    endpoint: endpointOf(defaultEndpoint, number, isOwn),
    tls: terminated,
  });
}

const FILES_ONLY = { credentialName: "", credentialNames: [], caCertCredentialName: "" };

/** What is inside of TLS that is ended here. */
const INSIDE: { readonly [P in Protocol]?: Protocol } = { https: "http", tls: "tcp" };

const ANY: readonly string[] = ["0.0.0.0", "::"];

/** `127.0.0.1:8080`, `[::1]:8080`, `0.0.0.0:8080` (the pod's address), `unix:///path`; where none is given, the port that was dialled. */
function endpointOf(text: string, port: number, isOwn: boolean): InboundPort["endpoint"] {
  if (text.startsWith("unix://")) return { address: text, port: 0 };
  const colon = text.lastIndexOf(":");
  // A listener of its own has no address that the client dialled first.
  if (colon < 0) return isOwn ? { address: "127.0.0.1", port } : undefined;
  const address = text.slice(0, colon).replaceAll(/[[\]]/g, "");
  return { address: ANY.includes(address) ? undefined : address, port: Number(text.slice(colon + 1)) };
}

/** How the application is connected to, by the port's pool or else the Sidecar's: limits, and HTTP as the client spoke it. */
export function inboundPool(
  model: Model,
  facts: WorkloadFacts,
  { targetPort, protocol }: InboundPort,
): Pick<Cluster, "connectionPool" | "protocol"> {
  const { ingress = [], inboundConnectionPool } = model.sidecars.of(facts)?.spec ?? {};
  const own = ingress.find((entry: SidecarIngress) => entry.port.number === targetPort)?.connectionPool;
  const asked = own ?? inboundConnectionPool;
  if (asked === undefined) return { connectionPool: {}, protocol };
  return {
    connectionPool: poolOf({ connectionPool: asked }, model.meshConfig().connectTimeoutMs),
    protocol: asked.http?.useClientProtocol === true && isHttp(protocol) ? "auto" : protocol,
  };
}

/** An address of the application, or the one dialled, perhaps with another port. */
export type AppPlace =
  | { readonly address: string; readonly port: number }
  | ({ readonly address?: undefined } & Pick<Cluster, "originalPort">);

/** Where the cluster of such a port finds the application; `appAddress`: where nothing redirects, its own address. */
export function placeOf(endpoint: NonNullable<InboundPort["endpoint"]>, appAddress: string | undefined): AppPlace {
  const { address, port } = endpoint;
  if (address?.startsWith("unix://") === true) return { address, port: 0 };
  if (appAddress !== undefined) return { address: appAddress, port };
  return address === undefined ? { originalPort: port } : { address, port };
}
