import type { GatewayListener } from "../ir/listener.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { Gateway } from "../model/gateways.ts";
import type { ApiPlace } from "./gateway-api/servers.ts";

type Server = NonNullable<NonNullable<Gateway["spec"]>["servers"]>[number];

/** One server of a Gateway, where it listens on a gateway pod. */
export interface PlacedServer {
  readonly gateway: { readonly namespace: string; readonly name: string };
  readonly server: Server;
  readonly address: string;
  readonly port: number;
  readonly kind: GatewayListener["kind"];
  /** Name of its route table; undefined for TCP. */
  readonly table: string | undefined;
  readonly provenance: Provenance;
  /** It is a listener of Gateway API; its routes are those attached there. */
  readonly api?: ApiPlace;
  /** Its routes are those of Ingresses. */
  readonly ingress?: true;
}
