import type { Protocol } from "../ir/service.ts";

/** Names that a port's appProtocol, its name before the first dash, or a ServiceEntry's protocol may have. */
const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  http: "http",
  http_proxy: "http",
  http2: "http2",
  grpc: "grpc",
  "grpc-web": "grpc",
  https: "https",
  tls: "tls",
  tcp: "tcp",
  mongo: "tcp",
  mysql: "tcp",
  redis: "tcp",
  udp: "udp",
  "kubernetes.io/h2c": "http2",
  "kubernetes.io/ws": "http",
  "kubernetes.io/wss": "https",
};

/** Ports of protocols in which the server speaks first: looking at the client's bytes would wait for ever. */
const SERVER_FIRST_PORTS: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/** What a port of a Service or ServiceEntry says of itself. */
export interface PortFacts {
  readonly port: number;
  readonly name?: string | undefined;
  /** Also the protocol of a ServiceEntry's or Gateway's port, which names the application's. */
  readonly appProtocol?: string | undefined;
  /** TCP, UDP or SCTP. */
  readonly protocol?: string | undefined;
}

/**
 * The application protocol of a port: appProtocol first, then the name's part before `-`; otherwise "auto", told by its
 * bytes, except on ports where the server speaks first.
 */
export function selectProtocol({ port, name = "", appProtocol, protocol }: PortFacts): Protocol {
  if (protocol === "UDP" || protocol === "SCTP") return "udp";
  const lowerName = name.toLowerCase();
  return (
    PROTOCOLS[appProtocol?.toLowerCase() ?? ""] ??
    PROTOCOLS[lowerName.startsWith("grpc-web") ? "grpc-web" : (lowerName.split("-")[0] ?? "")] ??
    (SERVER_FIRST_PORTS.has(port) ? "tcp" : "auto")
  );
}

/** Whether requests of this protocol are routed as HTTP. */
export function isHttp(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "http2" || protocol === "grpc";
}

/** Whether connections of this protocol carry TLS of the client's own, which the mesh passes on unopened. */
export function isTls(protocol: Protocol): boolean {
  return protocol === "https" || protocol === "tls";
}

/** Names of protocols that ports may be named by, sorted. */
export const protocolNames: readonly string[] = Object.keys(PROTOCOLS)
  .filter((name) => !name.includes("/"))
  .toSorted();
