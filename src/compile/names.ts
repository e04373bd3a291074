/** Names that the ecosystem's tools read: control-plane.md 3.1. */

/** A cluster of a service port, of all its endpoints or of a subset. */
export interface OutboundName {
  readonly port: number;
  /** "" for all endpoints. */
  readonly subset: string;
  readonly host: string;
}

/** `outbound|80|v1|reviews.shop.svc.cluster.local` */
export function outboundCluster({ port, subset, host }: OutboundName): string {
  return `outbound|${port}|${subset}|${host}`;
}

/** The parts of an outbound cluster's name; undefined for any other name. */
export function parseOutboundCluster(name: string): OutboundName | undefined {
  const [direction, port, subset, host] = name.split("|");
  if (direction !== "outbound" || port === undefined || subset === undefined || host === undefined) return undefined;
  return { port: Number(port), subset, host };
}

/** `inbound|8080||` */
export function inboundCluster(targetPort: number): string {
  return `inbound|${targetPort}||`;
}

/** The server name that a mesh client asks for: `outbound_.80_.v1_.reviews.shop.svc.cluster.local` */
export function meshServerName({ port, subset, host }: OutboundName): string {
  return `outbound_.${port}_.${subset}_.${host}`;
}

export const PASSTHROUGH = "PassthroughCluster";
export const BLACK_HOLE = "BlackHoleCluster";
export const INBOUND_PASSTHROUGH = "InboundPassthroughCluster";
export const HTTP_PROXY_TABLE = "http_proxy";
