import { expect, test } from "vitest";
import { stringify } from "yaml";
import { buildBootstrap } from "../../src/agent/bootstrap.ts";
import { sinksOf } from "../../src/agent/bootstrap-sinks.ts";
import { readConfig } from "../../src/agent/config.ts";
import { decodeMessage, encodeMessage, type Messages } from "../../src/wire/codec.ts";
import { BOOTSTRAP_CASES } from "../support/agent/bootstrap-cases.ts";

const SIDECAR = BOOTSTRAP_CASES["sidecar"]!;

const bootstrapOf = (input: (typeof BOOTSTRAP_CASES)[string]): unknown => {
  const config = readConfig(input);
  return buildBootstrap(config, input.discovery ?? config.discovery);
};

test("the bootstrap of a sidecar", async () => {
  await expect(stringify(bootstrapOf(SIDECAR), { lineWidth: 160 })).toMatchFileSnapshot(
    "testdata/bootstrap-sidecar.yaml",
  );
});

test.each(["gateway", "explicit", "knobs", "mark"])("what %s has that a sidecar has not", async (name) => {
  const differences = diff(bootstrapOf(SIDECAR), bootstrapOf(BOOTSTRAP_CASES[name]!), "");
  await expect(stringify(differences)).toMatchFileSnapshot(`testdata/bootstrap-${name}.diff.yaml`);
});

test("every field is one that Envoy knows: the message survives its bytes", () => {
  const type = "envoy.config.bootstrap.v3.Bootstrap";
  for (const input of Object.values(BOOTSTRAP_CASES)) {
    const config = readConfig(input);
    const bootstrap = buildBootstrap(config, config.discovery) as Messages[typeof type];
    const read = decodeMessage(type, encodeMessage(type, bootstrap));
    expect(read.node?.id).toBe(config.nodeId);
    expect(read.static_resources?.clusters?.map((cluster) => cluster.name).slice(0, 4)).toEqual([
      "xds-grpc",
      "sds-grpc",
      "agent",
      "prometheus_stats",
    ]);
  }
});

test.each([
  [{}, {}, 2_147_483_647],
  [{ connectionSettings: { globalDownstreamConnectionLimit: 500 } }, {}, 500],
  [
    {
      connectionSettings: { globalDownstreamConnectionLimit: 500 },
      runtimeValues: { "overload.global_downstream_max_connections": "400" },
    },
    {},
    400,
  ],
  [
    { connectionSettings: { globalDownstreamConnectionLimit: 500 } },
    { ISTIO_META_GLOBAL_DOWNSTREAM_MAX_CONNECTIONS: "300" },
    300,
  ],
  [{ connectionSettings: { globalDownstreamConnectionLimit: "many" } }, {}, 2_147_483_647],
])("the limit of client connections: %j %j", (proxyConfig, env, limit) => {
  const config = readConfig({ ...SIDECAR, env: { ...SIDECAR.env, ...env, PROXY_CONFIG: JSON.stringify(proxyConfig) } });
  expect(JSON.stringify(buildBootstrap(config, config.discovery))).toContain(
    `"max_active_downstream_connections":${limit}`,
  );
});

test("more statistics by annotation and by proxyStatsMatcher", () => {
  const config = readConfig({
    ...SIDECAR,
    env: {
      ...SIDECAR.env,
      PROXY_CONFIG: '{"proxyStatsMatcher":{"inclusionRegexps":["http.*"],"inclusionPrefixes":["cluster"]}}',
    },
    readFile: (path) =>
      path.endsWith("annotations")
        ? 'sidecar.istio.io/statsInclusionSuffixes="upstream_rq_total,ssl.handshake"'
        : undefined,
  });
  const { patterns } = matcherOf(buildBootstrap(config, config.discovery));
  expect(patterns).toEqual(
    expect.arrayContaining([
      { prefix: "cluster" },
      { safe_regex: { regex: "http.*" } },
      { suffix: "upstream_rq_total" },
      { suffix: "ssl.handshake" },
      { prefix: "wasmcustom" },
    ]),
  );
});

test("a service of the mesh's own, with a certificate from files and the names it must have", () => {
  const tlsSettings = {
    mode: "MUTUAL",
    clientCertificate: "/etc/c.pem",
    privateKey: "/etc/k.pem",
    caCertificates: "/etc/ca.pem",
    subjectAltNames: ["als.logs"],
  };
  const PROXY_CONFIG = JSON.stringify({ envoyAccessLogService: { address: "als.logs:9000", tlsSettings } });
  const { clusters } = sinksOf(readConfig({ ...SIDECAR, env: { ...SIDECAR.env, PROXY_CONFIG } }));
  expect(clusters.map(({ transport_socket: socket }) => socket)).toEqual([
    {
      name: "envoy.transport_sockets.tls",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        sni: "als.logs",
        common_tls_context: {
          tls_certificates: [
            { certificate_chain: { filename: "/etc/c.pem" }, private_key: { filename: "/etc/k.pem" } },
          ],
          validation_context: {
            trusted_ca: { filename: "/etc/ca.pem" },
            match_typed_subject_alt_names: ["DNS", "URI"].map((san_type) => ({
              san_type,
              matcher: { exact: "als.logs" },
            })),
          },
        },
      },
    },
  ]);
});

function matcherOf(bootstrap: unknown): { readonly patterns: readonly unknown[] } {
  const { stats_config } = bootstrap as {
    stats_config: { stats_matcher: { inclusion_list: { patterns: readonly unknown[] } } };
  };
  return stats_config.stats_matcher.inclusion_list;
}

/** The second value where it differs from the first, by path; absent there is "(absent)". */
function diff(a: unknown, b: unknown, path: string): Record<string, unknown> {
  if (JSON.stringify(a) === JSON.stringify(b)) return {};
  const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
  if (!isObject(a) || !isObject(b)) return { [path]: b ?? "(absent)" };
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  const at = (value: object, key: string): unknown => (value as Record<string, unknown>)[key];
  return Object.assign(
    {},
    ...[...keys].map((key) => diff(at(a, key), at(b, key), path === "" ? key : `${path}.${key}`)),
  ) as Record<string, unknown>;
}
