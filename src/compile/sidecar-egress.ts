import type { ServicePort } from "../ir/service.ts";
import { isHttp, selectProtocol } from "../model/protocol.ts";
import type { SidecarEgress } from "../model/sidecars.ts";

/** Where a Sidecar's egress listener takes traffic, for services that would else be found by their own addresses. */
export interface EgressPlace {
  /** An address, or `unix:///path`; undefined: the services' own. */
  readonly address: string | undefined;
  /** The workload dials the listener itself. */
  readonly bindToPort: boolean;
  /** Requests come as to an HTTP proxy. */
  readonly proxy: boolean;
}

const LOOPBACK = "127.0.0.1";
const ANY_ADDRESS = "0.0.0.0";
const UNIX = "unix://";

/** The place of a listener; undefined when it is as without Sidecar. */
export function egressPlace(spec: SidecarEgress | undefined): EgressPlace | undefined {
  if (spec === undefined) return undefined;
  const { bind = "", captureMode, port } = spec;
  const bindToPort = captureMode === "NONE" || bind.startsWith(UNIX);
  const proxy = isProxy(spec);
  if (bind === "" && !bindToPort && !proxy && port?.protocol === undefined) return undefined;
  const address = bindToPort ? LOOPBACK : proxy ? ANY_ADDRESS : undefined;
  return { address: bind === "" ? address : bind, bindToPort, proxy };
}

/** A service's port as the listener takes it: by the protocol that the listener names. */
export function egressPort(spec: SidecarEgress | undefined, port: ServicePort): ServicePort {
  const protocol = spec?.port?.protocol;
  if (protocol === undefined) return port;
  const number = isSocket(spec) || isProxy(spec) ? port.number : (spec?.port?.number ?? port.number);
  return { ...port, protocol: selectProtocol({ port: number, name: port.name, appProtocol: protocol }) };
}

/** Whether requests of every port come in at one place, told apart by their Host. */
export function takesAllPorts(spec: SidecarEgress | undefined): boolean {
  return spec !== undefined && (isProxy(spec) || isSocket(spec));
}

/** The route table of a listener that takes all ports: its port, or its socket's path. */
export function tableOf(spec: SidecarEgress): string {
  return isSocket(spec) ? (spec.bind ?? "") : String(spec.port?.number ?? 0);
}

/** The port of the listener, and the table of its requests where it takes any. */
export function egressTable(
  spec: SidecarEgress,
  { number, protocol }: ServicePort,
): { readonly port: number; readonly table: string | undefined } {
  const hasRoutes = isHttp(protocol) || protocol === "auto";
  const all = takesAllPorts(spec);
  const table = all ? tableOf(spec) : String(number);
  return { port: all ? (spec.port?.number ?? 0) : number, table: hasRoutes ? table : undefined };
}

function isSocket(spec: SidecarEgress | undefined): boolean {
  return spec?.bind?.startsWith(UNIX) === true;
}

function isProxy(spec: SidecarEgress | undefined): boolean {
  return spec?.port?.protocol?.toUpperCase() === "HTTP_PROXY";
}
