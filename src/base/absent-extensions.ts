/**
 * Extensions of Envoy that the proxy's Envoy (the upstream build) does not have, by the start of their messages' names: those of
 * Envoy's contrib build, and of Istio's own. A test compares the list with the binary.
 */
export const ABSENT_EXTENSIONS: Readonly<Record<string, string>> = {
  "envoy.extensions.filters.http.checksum.": "Envoy's contrib build",
  "envoy.extensions.filters.http.dynamo.": "Envoy's contrib build",
  "envoy.extensions.filters.http.golang.": "Envoy's contrib build",
  "envoy.extensions.filters.http.language.": "Envoy's contrib build",
  "envoy.extensions.filters.http.squash.": "Envoy's contrib build",
  "envoy.extensions.filters.http.sxg.": "Envoy's contrib build",
  "envoy.extensions.filters.network.client_ssl_auth.": "Envoy's contrib build",
  "envoy.extensions.filters.network.golang.": "Envoy's contrib build",
  "envoy.extensions.filters.network.kafka_broker.": "Envoy's contrib build",
  "envoy.extensions.filters.network.kafka_mesh.": "Envoy's contrib build",
  "envoy.extensions.filters.network.mysql_proxy.": "Envoy's contrib build",
  "envoy.extensions.filters.network.postgres_proxy.": "Envoy's contrib build",
  "envoy.extensions.filters.network.rocketmq_proxy.": "Envoy's contrib build",
  "envoy.extensions.filters.network.sip_proxy.": "Envoy's contrib build",
  "io.istio.": "Istio's build",
  "istio.envoy.config.filter.": "Istio's build",
  "stats.PluginConfig": "Istio's build",
};

/** Which build of Envoy has the extension whose message this is; undefined: the proxy's own may have it. A type URL or a name. */
export function absentFrom(type: string): string | undefined {
  const name = type.slice(type.lastIndexOf("/") + 1);
  return Object.entries(ABSENT_EXTENSIONS).find(([start]) => name.startsWith(start))?.[1];
}
