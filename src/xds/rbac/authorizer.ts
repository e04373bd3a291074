import { compact } from "../../base/compact.ts";
import type { AuthorizerService } from "../../ir/security.ts";
import type { Messages } from "../../wire/codec.ts";
import { seconds } from "../duration.ts";
import { statusName } from "../http-status.ts";
import type { StringMatcher } from "./text-match.ts";

type ExtAuthz = Messages["envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"];
type HttpService = Messages["envoy.extensions.filters.http.ext_authz.v3.HttpService"];

/** How Envoy asks an authorizer over gRPC (`envoy.service.auth.v3.Authorization`). */
export function grpcAuthorizer({
  cluster,
  host,
  timeoutMs,
}: AuthorizerService): Messages["envoy.config.core.v3.GrpcService"] {
  return { envoy_grpc: { cluster_name: cluster, authority: host }, timeout: seconds(timeoutMs) };
}

/** What an authorizer is asked about a request, and what follows from its answer. */
export function httpAuthorizer(service: AuthorizerService): ExtAuthz {
  const { http, body, failOpen, statusOnError } = service;
  const code = statusOnError === undefined ? undefined : statusName(statusOnError);
  return compact({
    ...(http === undefined ? { grpc_service: grpcAuthorizer(service) } : { http_service: httpService(service, http) }),
    transport_api_version: "V3" as const,
    failure_mode_allow: failOpen ? true : undefined,
    status_on_error: code === undefined ? undefined : { code },
    allowed_headers: http && headerList(http.headersInCheck),
    with_request_body: body && {
      max_request_bytes: body.maxBytes,
      allow_partial_message: body.allowPartial,
      pack_as_bytes: body.asBytes,
    },
  });
}

function httpService(
  { cluster, host, timeoutMs }: AuthorizerService,
  http: NonNullable<AuthorizerService["http"]>,
): HttpService {
  const response = compact({
    allowed_upstream_headers: headerList(http.toUpstreamOnAllow),
    allowed_client_headers: headerList(http.toDownstreamOnDeny),
    allowed_client_headers_on_success: headerList(http.toDownstreamOnAllow),
  });
  return compact({
    server_uri: { uri: `http://${host}`, cluster, timeout: seconds(timeoutMs) },
    path_prefix: http.pathPrefix === "" ? undefined : http.pathPrefix,
    authorization_request:
      http.addedHeaders.length === 0
        ? undefined
        : { headers_to_add: http.addedHeaders.map(([key, value]) => ({ key, value })) },
    authorization_response: Object.keys(response).length === 0 ? undefined : response,
  });
}

function headerList(names: readonly string[]): { readonly patterns: readonly StringMatcher[] } | undefined {
  return names.length === 0 ? undefined : { patterns: names.map(headerName) };
}

function headerName(name: string): StringMatcher {
  if (name.startsWith("*")) return { suffix: name.slice(1), ignore_case: true };
  if (name.endsWith("*")) return { prefix: name.slice(0, -1), ignore_case: true };
  return { exact: name, ignore_case: true };
}
