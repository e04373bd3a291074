import { type Json, type TypedAny, typed } from "../../wire/codec.ts";
import { AUDITED } from "../rbac/filter-rules.ts";
import type { AccessLog } from "../types.ts";
import type { AccessLogger } from "./types.ts";

/**
 * A JSON line for each request or connection that an AUDIT policy matches, refused ones too, with the rule's name: who, what, when,
 * and what came of it. The filter rbac-audit.ts marks them.
 */
export const audit: AccessLogger = {
  name: "istio.audit",
  protocol: "both",
  appliesTo: ({ security, direction }) => direction !== "outbound" && security?.authorization?.audit !== undefined,
  loggers: ({ security }, protocol) =>
    (security?.authorization?.audit?.logs ?? []).map(
      (path): AccessLog => ({
        name: "istio.audit",
        filter: protocol === "http" ? MARKED : { and_filter: { filters: [MARKED, ENDED] } },
        typed_config: destination(path, protocol),
      }),
    ),
};

/** Whom RBAC's action LOG marked. */
const MARKED: NonNullable<AccessLog["filter"]> = {
  metadata_filter: {
    matcher: { filter: "envoy.common", path: [{ key: "access_log_hint" }], value: { bool_match: true } },
    match_if_key_not_found: false,
  },
};

/** Connections have a record when they begin, too. */
const ENDED: NonNullable<AccessLog["filter"]> = { log_type_filter: { types: ["TcpConnectionEnd"] } };

function destination(path: string, protocol: "http" | "tcp"): TypedAny {
  const log_format = { json_format: protocol === "http" ? HTTP : TCP };
  switch (path) {
    case "/dev/stdout":
      return typed("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", { log_format });
    case "/dev/stderr":
      return typed("envoy.extensions.access_loggers.stream.v3.StderrAccessLog", { log_format });
    default:
      return typed("envoy.extensions.access_loggers.file.v3.FileAccessLog", { path, log_format });
  }
}

const WHO: Record<string, Json> = {
  start_time: "%START_TIME%",
  source_principal: "%DOWNSTREAM_PEER_URI_SAN%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
};

const HTTP: Record<string, Json> = {
  audit_policy: `%DYNAMIC_METADATA(envoy.filters.http.rbac:${AUDITED})%`,
  ...WHO,
  method: "%REQ(:METHOD)%",
  authority: "%REQ(:AUTHORITY)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  response_code: "%RESPONSE_CODE%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
};

const TCP: Record<string, Json> = {
  audit_policy: `%DYNAMIC_METADATA(envoy.filters.network.rbac:${AUDITED})%`,
  ...WHO,
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
};
