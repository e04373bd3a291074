import { lookup as dnsLookup } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { MeshError } from "../base/errors.ts";
import type { KeySetRef } from "../model/request-authentication.ts";

/** What fetching keys is allowed to do. */
export interface FetchLimits {
  /** Ranges (CIDR) that may be asked though they are refused by default: loopback, link-local with the metadata services, unspecified. */
  readonly allowed: readonly string[];
  /** Further ranges that are refused. */
  readonly blocked: readonly string[];
  /** Certificates of authorities (PEM) beside the system's. */
  readonly roots?: readonly string[];
}

/** A key set is a few kilobytes; nobody is to fill our memory. */
const MAX_BYTES = 1 << 20;
const MAX_REDIRECTS = 3;

/**
 * Fetches an issuer's JSON Web Key Set, by OpenID discovery when no address is given, as its JSON text. Throws MeshError
 * `jwks`. Where it goes is written by users of the mesh, and it goes from inside of the cluster: so addresses are judged after
 * the name is resolved, and again at each redirect.
 */
export async function fetchKeys(ref: KeySetRef, limits: FetchLimits): Promise<string> {
  const deadline = AbortSignal.timeout(ref.timeoutMs);
  const uri = ref.uri === "" ? await discover(ref.issuer, limits, deadline) : ref.uri;
  const text = await getText(uri, limits, deadline);
  const keys = member(parsed(uri, text), "keys");
  if (!Array.isArray(keys) || keys.length === 0)
    throw new MeshError("jwks", `${uri}: no JSON Web Key Set, expected an object with a list "keys" that is not empty`);
  return JSON.stringify({ keys });
}

async function discover(issuer: string, limits: FetchLimits, deadline: AbortSignal): Promise<string> {
  const uri = `${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
  const address = member(parsed(uri, await getText(uri, limits, deadline)), "jwks_uri");
  if (typeof address === "string") return address;
  throw new MeshError("jwks", `${uri}: names no jwks_uri`, {
    hint: "Set jwksUri in the rule of the RequestAuthentication.",
  });
}

function parsed(uri: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MeshError("jwks", `${uri}: the answer is not JSON`);
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

async function getText(address: string, limits: FetchLimits, deadline: AbortSignal, redirects = 0): Promise<string> {
  const url = urlOf(address);
  const response = await get(url, limits, deadline);
  const { statusCode = 0, headers } = response;
  if (statusCode === 200) return bodyOf(response, address);
  response.destroy();
  const isRedirect = statusCode >= 300 && statusCode < 400 && headers.location !== undefined;
  if (!isRedirect) throw new MeshError("jwks", `${address}: status ${statusCode}, expected 200`);
  if (redirects === MAX_REDIRECTS) throw new MeshError("jwks", `${address}: more than ${MAX_REDIRECTS} redirects`);
  return getText(new URL(headers.location ?? "", url).href, limits, deadline, redirects + 1);
}

function urlOf(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new MeshError("jwks", `${address}: expected an address that starts with http:// or https://`);
}

async function bodyOf(response: IncomingMessage, address: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += (chunk as Buffer).length;
    if (size > MAX_BYTES) throw new MeshError("jwks", `${address}: more than ${MAX_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function get(url: URL, limits: FetchLimits, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    // a literal address is not looked up
    if (isIP(host) !== 0 && isRefused(host, limits)) return reject(refusal(url, host));
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const extra = limits.roots === undefined ? {} : { ca: [...limits.roots] };
    const headers = { accept: "application/json" };
    const sent = send(url, { headers, signal, agent: false, lookup: judged(url, limits), ...extra }, resolve);
    sent.on("error", (error) =>
      reject(error instanceof MeshError ? error : new MeshError("jwks", `${url.href}: ${error.message}`)),
    );
    sent.end();
  });
}

/** A look-up that hands on only addresses that may be asked: what was judged is what is dialled. */
function judged(url: URL, limits: FetchLimits): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const fine = addresses.filter(({ address }) => !isRefused(address, limits));
      const [first] = fine;
      if (first === undefined) return callback(refusal(url, addresses[0]?.address ?? hostname), []);
      if (options.all === true) callback(null, fine);
      else callback(null, first.address, first.family);
    });
  };
}

function refusal(url: URL, address: string): MeshError {
  return new MeshError(
    "jwks",
    `${url.href}: ${address} is not asked for keys (loopback, link-local, metadata or blocked)`,
    {
      hint: "Allow it in MESHD_JWKS_ALLOWED_CIDRS of the control plane, if it really is the issuer.",
    },
  );
}

/** Ranges and addresses that serve a machine's own secrets: its own, link-local ones, and the metadata services of clouds. */
const REFUSED: readonly string[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "100.100.100.200/32",
  "168.63.129.16/32",
  "192.0.0.192/32",
  "::/128",
  "::1/128",
  "fe80::/10",
  "fd00:ec2::254/128",
  // the same by NAT64
  "64:ff9b::7f00:0/104",
  "64:ff9b::a9fe:0/112",
];

function isRefused(address: string, { allowed, blocked }: FetchLimits): boolean {
  if (allowed.some((range) => contains(range, address))) return false;
  return [...REFUSED, ...blocked].some((range) => contains(range, address));
}

function contains(range: string, address: string): boolean {
  const [network, length] = ipaddr.parseCIDR(range);
  const given = ipaddr.process(address);
  return given.kind() === network.kind() && given.match(network, length);
}
