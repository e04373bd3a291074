import type { Mesh } from "../../compile/mesh.ts";
import type { Proxy } from "../../ir/proxy.ts";
import type { SimulatedToken } from "../../simulate/jwt.ts";
import type { Address, SimulatedRequest } from "../../simulate/request.ts";
import type { Rejected } from "../../simulate/verdict.ts";
import type { OfflineMesh } from "../offline/mesh.ts";
import { shortName } from "../offline/proxies.ts";
import { type Source, sourceOf, type Tagged } from "../../why/source.ts";
import type { ProxyView } from "./view.ts";

/** One decision on the way of a request. */
export interface Step {
  readonly step:
    | "listener"
    | "chain"
    | "virtual host"
    | "route"
    | "cluster"
    | "endpoints"
    | "tls"
    | "authorization"
    | "application";
  /** The proxy that decides, as name.namespace. */
  readonly proxy: string;
  /** Of a mesh of several clusters: where it stands. */
  readonly cluster?: string;
  /** What was chosen; empty: nothing fits. */
  readonly chosen: string;
  /** What else is to be said of it. */
  readonly note?: string;
  readonly source?: Source;
  /** What was looked at before and lost. */
  readonly rejected?: readonly Rejected[];
}

/** One place where the request may end up. */
export interface Branch {
  /** 0 to 1. */
  readonly share: number;
  readonly cluster: string;
  readonly steps: readonly Step[];
  readonly ends: Ending;
}

/** How it ends: at an application, answered by a proxy, or nowhere. */
export interface Ending {
  readonly kind: "delivered" | "answered" | "left" | "failed";
  readonly text: string;
  /** What is not there, of one that fails. */
  readonly missing?: Missing;
}

/** What a request finds missing on its way. */
export type Missing =
  | "listener"
  | "chain"
  | "route"
  | "cluster"
  | "endpoint"
  | "port"
  | "leave"
  | "server chain"
  | "permission";

/** The whole way. */
export interface Trace {
  readonly from: string;
  readonly method: string;
  readonly url: string;
  readonly steps: readonly Step[];
  readonly branches: readonly Branch[];
  readonly ends: Ending;
  /** The same request as it was really sent; absent: it was not. */
  readonly live?: Live;
}

/** What came of a request that was really sent. */
export interface Live {
  /** By which it is found in logs. */
  readonly requestId: string;
  readonly status?: number;
  /** Of bytes: how many came back, and whether the other side ended the connection. */
  readonly bytes?: number;
  readonly closed?: boolean;
  /** Why no answer came. */
  readonly error?: string;
  /** Lines of access logs that tell of it; `cluster`: of a proxy in another one than the client's. */
  readonly lines: readonly { readonly proxy: string; readonly cluster?: string; readonly text: string }[];
  /** It went the way that the walk says. */
  readonly agrees: boolean;
  readonly differences: readonly string[];
}

/** The request as a client makes it; a URL of `tcp:` is a connection whose bytes are no HTTP, with the method TCP. */
export interface Asked {
  readonly url: URL;
  readonly method: string;
  readonly headers: SimulatedRequest["headers"];
  /** Of a connection: the bytes that the client sends first. */
  readonly data?: string;
  /** The token that the request carries where its issuer's are looked for; absent: none. */
  readonly token?: SimulatedToken;
  /** Seconds; tokens are judged by it. */
  readonly now: number;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** The port that a URL means; 0 when it says none and has none of its own. */
export function portOf({ port, protocol }: URL): number {
  return port === "" ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port);
}

/** Whether it is a connection of bytes that no proxy can read as HTTP. */
export function isBytes({ url }: Pick<Asked, "url">): boolean {
  return url.protocol === "tcp:";
}

/** What the parts of a walk share. */
export interface Walk {
  readonly mesh: Mesh;
  readonly positionOf: OfflineMesh["positionOf"];
  readonly views: (mesh: Mesh, proxy: Proxy) => ProxyView;
  /** Of the client's proxy. */
  readonly view: ProxyView;
  readonly asked: Asked;
  /** What the client connects to. */
  readonly meant: Address;
  /** The token that is still on the request; undefined: none. */
  readonly token: SimulatedToken | undefined;
  /** Name of the client's cluster, and the mesh's other clusters; absent: there is one. */
  readonly clusterId?: string;
  readonly others?: readonly OfflineMesh[];
}

/** How people call a proxy. */
export function nameOf(proxy: Pick<Proxy, "name" | "namespace">): string {
  return `${shortName(proxy)}.${proxy.namespace}`;
}

/** The source of a resource, where it says one. */
export function sourced(
  resource: Tagged | undefined,
  positionOf: OfflineMesh["positionOf"],
): { readonly source?: Source } {
  const source = sourceOf(resource, positionOf);
  return source === undefined ? {} : { source };
}

/** A note, where there is one. */
export function noted(note: string | undefined): { readonly note?: string } {
  return note === undefined || note === "" ? {} : { note };
}

/** An ending nowhere. */
export function failed(text: string, missing?: Missing): Ending {
  return { kind: "failed", text, ...(missing === undefined ? {} : { missing }) };
}

/** The end of a connection of bytes at a proxy that reads HTTP. */
export function notHttp(proxy: string): Ending {
  return failed(`${proxy} reads HTTP there: bytes that are none are answered with 400`);
}

/** An answer of a proxy itself; those of the server kind are failures. */
export function answeredWith(status: number, body: string): Ending {
  const text = `answered with ${status}${body === "" ? "" : ` and ${body.length} characters`}`;
  return { kind: status >= 500 ? "failed" : "answered", text };
}
