import type { FileSink, LogSink } from "../../ir/telemetry.ts";
import type { TypedAny } from "../../wire/codec.ts";
import { alsLog, fileLog, otelLog } from "../log-writers.ts";
import { AUDITED } from "../rbac/filter-rules.ts";
import type { AccessLog, ChainContext } from "../types.ts";
import type { AccessLogger } from "./types.ts";

/**
 * A record for each request or connection that an AUDIT policy matches, refused ones too, with the rule's name: who, what, when,
 * and what came of it. The filter rbac-audit.ts marks them. It goes where access logs go, whatever of those is left out there;
 * without any such place to the proxy's output.
 */
export const audit: AccessLogger = {
  name: "istio.audit",
  protocol: "both",
  appliesTo: ({ security, direction }) => direction !== "outbound" && security?.authorization?.audit !== undefined,
  loggers: (chain, protocol) =>
    places(chain).map(
      (place): AccessLog => ({
        name: "istio.audit",
        filter: MARKED,
        typed_config: written(place, protocol === "http" ? HTTP : TCP),
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

type Place = LogSink | Pick<FileSink, "kind" | "path">;

const OUTPUT: Place = { kind: "file", path: "/dev/stdout" };

/** One file or log of a server once, however many providers name it. */
function places({ telemetry }: ChainContext): readonly Place[] {
  const all: readonly Place[] = telemetry?.logs ?? [];
  const known = new Map(
    all.map((sink) => ["path" in sink ? sink.path : `${sink.cluster} ${sink.kind} ${sink.logName}`, sink]),
  );
  return known.size === 0 ? [OUTPUT] : [...known.values()];
}

/** Servers tell records of the audit from others by the name of their log. */
function written(place: Place, fields: Fields): TypedAny {
  if (place.kind === "file") return fileLog({ path: place.path, format: { json: fields } });
  const logName = `${place.logName}.audit`;
  if (place.kind !== "otel") return alsLog({ ...place, logName });
  const { audit_policy: body = "", ...attributes } = fields;
  return otelLog({ ...place, logName, body, attributes: { audit_policy: body, ...attributes } });
}

type Fields = Readonly<Record<string, string>>;

const WHO: Fields = {
  start_time: "%START_TIME%",
  source_principal: "%DOWNSTREAM_PEER_URI_SAN%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
};

const HTTP: Fields = {
  audit_policy: `%DYNAMIC_METADATA(envoy.filters.http.rbac:${AUDITED})%`,
  ...WHO,
  method: "%REQ(:METHOD)%",
  authority: "%REQ(:AUTHORITY)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  response_code: "%RESPONSE_CODE%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
};

const TCP: Fields = {
  audit_policy: `%DYNAMIC_METADATA(envoy.filters.network.rbac:${AUDITED})%`,
  ...WHO,
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
};
