import type { Mesh } from "../../compile/mesh.ts";
import type { Proxy } from "../../ir/proxy.ts";
import { namedSelector, selects } from "../../model/selectors.ts";
import type { Service } from "../../resources/core.ts";
import type { Address } from "../../simulate/request.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { proxiesOf } from "../offline/proxies.ts";
import type { Walk } from "./types.ts";

/** A proxy of another cluster that an address leads to: a server's, or a gateway between networks. */
export interface Place {
  readonly there: OfflineMesh;
  readonly proxy: Proxy;
  /** Where the proxy's pod is reached. */
  readonly port: number;
}

/** Who stands at an address of another cluster of the mesh; undefined: it is of the client's own, or nobody's. */
export function placeIn({ mesh, others = [] }: Pick<Walk, "mesh" | "others">, at: Address): Place | undefined {
  if (others.length === 0 || serverOf(mesh, at.address) !== undefined) return undefined;
  for (const there of others) {
    const proxy = serverOf(there.mesh, at.address);
    if (proxy !== undefined) return { there, proxy, port: at.port };
    const gateway = gatewayAt(there.mesh, at);
    if (gateway !== undefined) return { there, ...gateway };
  }
  return undefined;
}

/** The sidecar at an address. */
export function serverOf({ model }: Pick<Mesh, "model">, address: string): Proxy | undefined {
  return proxiesOf(model).find((proxy) => proxy.type === "sidecar" && proxy.addresses.includes(address));
}

/** The gateway pod behind an outer address of a Service, and the port at which the pod takes what comes there. */
function gatewayAt({ model }: Mesh, { address, port }: Address): Omit<Place, "there"> | undefined {
  const service = model.world.list("Service").find((one) => isReachedAt(one, address));
  const selector = namedSelector(service?.spec?.selector);
  if (service === undefined || selector === undefined) return undefined;
  const proxy = proxiesOf(model).find(
    ({ type, namespace, labels }) =>
      type === "router" && namespace === service.metadata.namespace && selects(selector, labels),
  );
  return proxy === undefined ? undefined : { proxy, port: model.gateways.listenPort(proxy, port) };
}

function isReachedAt({ spec, status }: Service, address: string): boolean {
  const balanced = (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
  return [...balanced, ...(spec?.externalIPs ?? [])].includes(address);
}
