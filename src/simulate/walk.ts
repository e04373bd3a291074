import type { Messages } from "../wire/codec.ts";
import { type ChosenChain, chooseChain } from "./filter-chain.ts";
import { chooseListener } from "./listener.ts";
import type { SimulatedConnection } from "./request.ts";

type Listener = Messages["envoy.config.listener.v3.Listener"];
type FilterChain = Messages["envoy.config.listener.v3.FilterChain"];
type Manager = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"];
type TcpProxy = Messages["envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"];

/** A cluster, and its part of the requests or connections: 0 to 1. */
export interface Share {
  readonly cluster: string;
  readonly share: number;
}

/** What the network filters of a chain do with its bytes. */
export type Leads =
  | { readonly kind: "http"; readonly manager: Manager }
  | { readonly kind: "tcp"; readonly clusters: readonly Share[] }
  /** No filter takes the bytes on. */
  | { readonly kind: "nothing" };

/** The way of a connection into a proxy; `listener` undefined: nobody listens there. */
export interface Entered {
  readonly listener: Listener | undefined;
  readonly chosen: ChosenChain;
  readonly leads: Leads;
}

/** How a connection goes into a proxy, up to the filter that reads it. `captures`: which listener redirection leads to. */
export function enter(
  listeners: readonly Listener[],
  captures: (listener: Listener) => boolean,
  connection: SimulatedConnection,
): Entered {
  const listener = chooseListener(listeners, captures, connection.destination);
  const chosen: ChosenChain =
    listener === undefined ? { chain: undefined, isDefault: false, rejected: [] } : chooseChain(listener, connection);
  return { listener, chosen, leads: chosen.chain === undefined ? { kind: "nothing" } : leadsOf(chosen.chain) };
}

const TYPE = "type.googleapis.com/envoy.extensions.filters.network";

function leadsOf({ filters = [] }: FilterChain): Leads {
  for (const { typed_config: config } of filters) {
    if (config?.["@type"] === `${TYPE}.http_connection_manager.v3.HttpConnectionManager`)
      return { kind: "http", manager: config as unknown as Manager };
    if (config?.["@type"] === `${TYPE}.tcp_proxy.v3.TcpProxy`)
      return { kind: "tcp", clusters: sharesOf(config as unknown as TcpProxy) };
  }
  return { kind: "nothing" };
}

function sharesOf({ cluster, weighted_clusters: weighted }: TcpProxy): readonly Share[] {
  if (weighted?.clusters === undefined) return [{ cluster: cluster ?? "", share: 1 }];
  const total = weighted.clusters.reduce((sum, { weight = 0 }) => sum + weight, 0);
  return weighted.clusters.map(({ name = "", weight = 0 }) => ({ cluster: name, share: weight / total }));
}
