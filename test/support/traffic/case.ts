import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { KubeObject } from "../../../src/resources/object.ts";
import { readValues } from "../../../src/resources/yaml-values.ts";
import type { WantedCertificate } from "./case-certificates.ts";
import type { Issuer } from "./issuer.ts";

/** Issuers of tokens (issuer-process.mjs); `$MAIN` and `$ROTATING` in objects are their addresses, `$KEYS` the keys of the first. */
export interface Issuers {
  readonly main: Issuer;
  /** For the case that changes its keys. */
  readonly rotating: Issuer;
}

/** One request (or several alike) of a case, and what must come of it. */
export interface CaseRequest {
  /** What it shows. */
  readonly it: string;
  /** Who sends it: the client with its sidecar (default), the gateway's client, one without any proxy to v1, or `walled`. */
  readonly via?: "sidecar" | "gateway" | "plain" | "walled";
  /** Instead of the service's address: `address:port`, or `unix:///path`; `$walled` and `$SOCKETS` as in objects. */
  readonly dial?: string;
  readonly protocol?: "http1" | "http2" | "http3" | "grpc" | "websocket" | "tcp" | "tls";
  /** Service or host asked for; a short name means one of the case's namespace. Default: echo. */
  readonly to?: string;
  readonly port?: number;
  /** Host header (:authority) when it is not `to`. */
  readonly host?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Claims of a token that the issuer signs; it stands where path or headers say `$TOKEN`. `exp` is in seconds from now. */
  readonly token?: Readonly<Record<string, unknown>>;
  /** Signed by the key that the issuer had before it last took a new one. */
  readonly formerKey?: boolean;
  /** Whose token. Default: main. */
  readonly issuer?: keyof Issuers;
  /** The issuer takes a new key before. */
  readonly rotate?: boolean;
  /** Body, or bytes sent. */
  readonly send?: string;
  /** Server name of `tls`, and of `secure` requests when it is not the host. */
  readonly sni?: string;
  /** The request goes through TLS of the client's own: `true`, or more. */
  readonly secure?: true | SecureRequest;
  /** What the back end is to do, see backend.ts: `status=503;who=v1;times=2;delay=100;header=name:value`. */
  readonly do?: string;
  readonly times?: number;
  /** What an answer brings along goes with the next of `times`: its cookies, or the header of this name. */
  readonly carry?: string;
  /** Asked anew, for some seconds, until all is as expected: what follows from earlier requests takes the proxy a moment. */
  readonly eventually?: boolean;
  /** All at once. */
  readonly parallel?: boolean;
  readonly expect: Expectation;
}

/** TLS of a client. */
export interface SecureRequest {
  /** Shows this certificate of the case. */
  readonly cert?: string;
  readonly version?: "TLSv1.2" | "TLSv1.3";
  readonly ciphers?: string;
  /** Kinds of keys it takes, by signature algorithms of OpenSSL: `ECDSA+SHA256`. */
  readonly sigalgs?: string;
  readonly alpn?: readonly string[];
}

/** A text is equal, `/text/` a regular expression, null: absent. */
export type Wanted = string | number | null;

export interface Expectation {
  readonly status?: number;
  /** For `times`: how many of each status, as [least, most]. */
  readonly statuses?: Readonly<Record<string, readonly [number, number]>>;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, Wanted>>;
  readonly trailers?: Readonly<Record<string, Wanted>>;
  /** The answer's body, or the bytes that came back. */
  readonly body?: Wanted;
  /** The request as the application got it. */
  readonly request?: {
    readonly method?: Wanted;
    readonly path?: Wanted;
    readonly host?: Wanted;
    readonly protocol?: Wanted;
    readonly body?: Wanted;
    readonly sni?: Wanted;
    readonly client?: Wanted;
    readonly headers?: Readonly<Record<string, Wanted>>;
  };
  /** Who answered; for `times`: the share of each in percent, as [least, most]. */
  readonly from?: string | Readonly<Record<string, readonly [number, number]>>;
  /** Every one of `times` was answered by the same. */
  readonly sameFrom?: boolean;
  /** How often the applications got it, retries and copies included, by who. */
  readonly seen?: Readonly<Record<string, number | readonly [number, number]>>;
  readonly minMs?: number;
  readonly maxMs?: number;
  /** The connection is refused or ends without an answer. */
  readonly fails?: boolean;
  /** Names in the certificate that the gateway showed to a `secure` request. */
  readonly serverName?: Wanted;
  /** Counters of the sending proxy (or of `at`), by regular expression over their names: the sum grows by at least this. */
  readonly stats?: Readonly<Record<string, number>>;
  /** Whose counters and log lines these are; default: the sending proxy. */
  readonly at?: "client" | "v1" | "v2" | "gateway" | "guard";
  /** A regular expression that a line of the proxy's output matches, perhaps some seconds later. */
  readonly log?: string;
  /** A regular expression that no line of it matches. */
  readonly noLog?: string;
}

export interface TrafficCase {
  /** Path below the folder without `.yaml`. */
  readonly name: string;
  /** The case's own namespace; `$NS` in its text. */
  readonly namespace: string;
  readonly requests: readonly CaseRequest[];
  readonly objects: readonly KubeObject[];
  /** Certificates made for it, by name; each a Secret `$NS-NAME` of the gateway's namespace. */
  readonly certificates?: Readonly<Record<string, WantedCertificate>>;
}

/** All cases of a folder, by glob; TRAFFIC=text in the environment picks those whose name has it. */
export function readCases(folder: string, only = process.env["TRAFFIC"] ?? ""): readonly TrafficCase[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml"))
    .toSorted()
    .map((file) => readCase(join(folder, file), relative("", file).replace(/\.yaml$/, "")))
    .filter(({ name }) => name.includes(only));
}

function readCase(path: string, name: string): TrafficCase {
  const namespace = name.replaceAll(/[^a-z0-9]+/g, "-");
  const text = readFileSync(path, "utf8").replaceAll("$NS", namespace);
  const [header, ...objects] = readValues(text);
  const { requests, certificates = {} } = header as Pick<TrafficCase, "requests" | "certificates">;
  const written = objects.filter((object) => object !== null) as KubeObject[];
  return { name, namespace, requests, objects: written, certificates };
}
