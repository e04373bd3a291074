import { compact } from "../../base/compact.ts";
import type { Cluster, ConnectionPool } from "../../ir/cluster.ts";
import { type Messages, typed } from "../../wire/codec.ts";
import { maybeSeconds, seconds } from "../duration.ts";
import { PRESERVE_CASE } from "../hcm-settings.ts";
import type { ClusterFeature } from "./types.ts";

type HttpOptions = Messages["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
type Http1 = Messages["envoy.config.core.v3.Http1ProtocolOptions"];
type Http2 = Messages["envoy.config.core.v3.Http2ProtocolOptions"];

const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** Which HTTP goes upstream, and how; nothing at all for clusters that only carry bytes. */
export const httpOptions: ClusterFeature = {
  fields(cluster, { proxy }) {
    const options = optionsOf(cluster, proxy?.headers?.preserveCase === true ? PRESERVE_CASE : {});
    return options === undefined
      ? {}
      : { typed_extension_protocol_options: { [HTTP_OPTIONS]: typed(HTTP_OPTIONS, options) } };
  },
};

function optionsOf(cluster: Cluster, http1: Http1): HttpOptions | undefined {
  const { idleTimeoutMs, maxRequestsPerConnection, maxConnectionDurationMs } = cluster.connectionPool;
  const common = compact({
    idle_timeout: maybeSeconds(idleTimeoutMs),
    max_connection_duration: maybeSeconds(maxConnectionDurationMs),
    max_requests_per_connection: maxRequestsPerConnection,
  });
  const protocol = upstreamProtocol(cluster, http1);
  if (protocol === undefined) return undefined;
  const tls = cluster.tls;
  const originates = tls !== undefined && (tls.mode === "simple" || tls.mode === "mutual") && tls.sni === "";
  const proves = originates && tls.subjectAltNames.length === 0 && tls.insecureSkipVerify !== true;
  return compact({
    ...protocol,
    common_http_protocol_options: Object.keys(common).length === 0 ? undefined : common,
    outlier_detection: errors(cluster.outlierDetection),
    // the server is asked for by the name that the request carries, and must prove it unless it is to prove others
    upstream_http_protocol_options: originates
      ? compact({ auto_sni: true, auto_san_validation: proves ? true : undefined })
      : undefined,
  });
}

/** Which answers count as errors, where it is not 500 to 599. */
function errors(detection: Cluster["outlierDetection"]): HttpOptions["outlier_detection"] {
  if (detection?.errorCodes === undefined) return undefined;
  const regex = detection.errorCodes.join("|");
  const headers = [{ name: ":status", string_match: { safe_regex: { regex } } }];
  return { error_matcher: { http_response_headers_match: { headers } } };
}

function upstreamProtocol(cluster: Cluster, http1: Http1): HttpOptions | undefined {
  const http2 = http2Options(cluster.connectionPool);
  const follow: HttpOptions = {
    use_downstream_protocol_config: { http_protocol_options: http1, http2_protocol_options: http2 },
  };
  switch (cluster.protocol) {
    case "http2":
    case "grpc":
      return { explicit_http_config: { http2_protocol_options: http2 } };
    case "http":
      // also inbound: between proxies it may have been HTTP/2 (h2UpgradePolicy), which the application did not ask for
      return { explicit_http_config: { http_protocol_options: http1 } };
    case "auto":
      return follow;
    case "https":
    case "tls":
    case "tcp":
    case "udp":
      // passthrough has no protocol of its own, and HTTP may come to it
      return cluster.service === undefined && cluster.discovery === "original-dst" ? follow : undefined;
  }
}

function http2Options({ maxConcurrentStreams, http2KeepAlive }: ConnectionPool): Http2 {
  return compact({
    max_concurrent_streams: maxConcurrentStreams,
    connection_keepalive: http2KeepAlive && {
      interval: seconds(http2KeepAlive.intervalMs),
      timeout: seconds(http2KeepAlive.timeoutMs),
    },
  });
}
