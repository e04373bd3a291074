import type { Messages } from "../wire/codec.ts";
import { inRange } from "./filter-chain.ts";
import type { SimulatedToken } from "./jwt.ts";
import { metadataCheck } from "./metadata-match.ts";
import { type Address, pathOnly, type SimulatedRequest } from "./request.ts";
import { headerCheck } from "./route-match.ts";
import { matchesString } from "./string-match.ts";
import { templateMatches } from "./uri-template.ts";

export type Rbac = Messages["envoy.config.rbac.v3.RBAC"];
type Permission = Messages["envoy.config.rbac.v3.Permission"];
type Principal = Messages["envoy.config.rbac.v3.Principal"];

/** A connection, and the request on it, as an RBAC engine sees them. */
export interface SimulatedCall {
  /** The URI in the peer's certificate; undefined: it showed none. */
  readonly peer: string | undefined;
  /** The address that the connection comes from. */
  readonly source: string;
  /** The client's address as X-Forwarded-For or the PROXY protocol says it; the same as `source` without them. */
  readonly remote: string;
  readonly destination: Address;
  /** SNI; undefined: none. */
  readonly serverName: string | undefined;
  /** undefined: bytes that are no HTTP. */
  readonly request: SimulatedRequest | undefined;
  /** The token that the request carries where its issuer's are looked for; absent: none. */
  readonly token?: SimulatedToken;
}

export interface RbacVerdict {
  readonly refused: boolean;
  /** Name of the first policy (by name) that matches; undefined: none does. */
  readonly policy: string | undefined;
}

/** Envoy's RoleBasedAccessControlEngine: ALLOW refuses what no policy matches, DENY what one does, LOG nothing. */
export function judgeRbac(rbac: Rbac, call: SimulatedCall): RbacVerdict {
  const names = Object.keys(rbac.policies ?? {}).toSorted((a, b) => (a < b ? -1 : 1));
  const policy = names.find((name) => {
    const { permissions = [], principals = [] } = rbac.policies?.[name] ?? {};
    return permissions.some((one) => permits(one, call)) && principals.some((one) => isCaller(one, call));
  });
  switch (rbac.action ?? "ALLOW") {
    case "ALLOW":
      return { refused: policy === undefined, policy };
    case "DENY":
      return { refused: policy !== undefined, policy };
    case "LOG":
      return { refused: false, policy };
  }
}

function permits(permission: Permission, call: SimulatedCall): boolean {
  const { and_rules: all, or_rules: some, not_rule: negated, any } = permission;
  if (all !== undefined) return (all.rules ?? []).every((rule) => permits(rule, call));
  if (some !== undefined) return (some.rules ?? []).some((rule) => permits(rule, call));
  if (negated !== undefined) return !permits(negated, call);
  return any ?? (ofConnection(permission, call) || ofRequest(permission, call));
}

function ofConnection(permission: Permission, { destination, serverName }: SimulatedCall): boolean {
  const { destination_ip: range, destination_port: port, requested_server_name: name } = permission;
  if (range !== undefined) return inRange(range, destination.address);
  if (port !== undefined) return destination.port === port;
  return name !== undefined && matchesString(name, serverName ?? "");
}

function ofRequest({ header, url_path, uri_template, metadata }: Permission, { request }: SimulatedCall): boolean {
  if (metadata !== undefined) return metadataCheck(metadata, request?.metadata ?? {}) === undefined;
  if (request === undefined) return false;
  if (header !== undefined) return headerCheck(header, request) === undefined;
  const path = pathOnly(request.path);
  if (url_path?.path !== undefined) return matchesString(url_path.path, path);
  const { path_template: template } = (uri_template?.typed_config ?? {}) as { readonly path_template?: string };
  return template !== undefined && templateMatches(template, path);
}

function isCaller(principal: Principal, call: SimulatedCall): boolean {
  const { and_ids: all, or_ids: some, not_id: negated, any } = principal;
  if (all !== undefined) return (all.ids ?? []).every((id) => isCaller(id, call));
  if (some !== undefined) return (some.ids ?? []).some((id) => isCaller(id, call));
  if (negated !== undefined) return !isCaller(negated, call);
  return any ?? isThis(principal, call);
}

function isThis(principal: Principal, { peer, source, remote, request }: SimulatedCall): boolean {
  const { authenticated, direct_remote_ip: direct, remote_ip: original, header, metadata } = principal;
  if (authenticated !== undefined) {
    const { principal_name: name } = authenticated;
    return peer !== undefined && (name === undefined || matchesString(name, peer));
  }
  if (direct !== undefined) return inRange(direct, source);
  if (original !== undefined) return inRange(original, remote);
  if (metadata !== undefined) return metadataCheck(metadata, request?.metadata ?? {}) === undefined;
  return header !== undefined && request !== undefined && headerCheck(header, request) === undefined;
}
