import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { statNamespaceExtension } from "../../../src/agent/bootstrap-stats.ts";
import { createMesh } from "../../../src/compile/mesh.ts";
import { validateConfig } from "../../../src/envoy/validate.ts";
import { worldOf } from "../../../src/resources/world-store.ts";
import { decodeAny, encodeAny } from "../../../src/wire/codec.ts";
import { type Resources, resourcesFor } from "../../../src/xds/resources.ts";
import type { XdsKind } from "../../../src/xds/types.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { configOf, readIrCase } from "../../support/ir-case.ts";
import { readXdsCase } from "../../support/xds-case.ts";

// Every golden's configuration passes `envoy --mode validate`: routes inline in a listener of their own, endpoints in a
// static cluster, all else as it is sent.
const IN = join(import.meta.dirname, "../../xds/testdata/in");
const envoy = await testEnvoy();

test.each(readdirSync(IN))("Envoy takes %s", async (name) => {
  const { config, options } = readXdsCase(join(IN, name));
  expect(await validateConfig(envoy, bootstrap(resourcesFor(config, options)))).toBeUndefined();
});

// The same from the World on: what compile makes of objects is something that Envoy takes.
const COMPILE = join(import.meta.dirname, "../../compile/testdata");
test.each(readdirSync(COMPILE).filter((name) => name.endsWith(".in.yaml")))(
  "Envoy takes what becomes of %s",
  async (name) => {
    const { header, objects } = readIrCase(join(COMPILE, name));
    const config = configOf(header, createMesh(worldOf(objects)));
    const options = { trustDomains: ["cluster.local"], accessLog: undefined, protocolDetectionTimeoutMs: 0 } as const;
    expect(await validateConfig(envoy, bootstrap(resourcesFor(config, options)))).toBeUndefined();
  },
);

test("a wrong configuration is refused in Envoy's words", async () => {
  const verdict = await validateConfig(envoy, { static_resources: { clusters: [{ name: "x", lb_policy: "NONE" }] } });
  expect(verdict).toContain("NONE");
});

function bootstrap(resources: Resources): unknown {
  const grpc = (name: string): unknown => ({
    name,
    type: "STATIC",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path: "none" } } } }] }],
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  });
  return {
    node: { id: "test", cluster: "test" },
    bootstrap_extensions: [statNamespaceExtension()],
    dynamic_resources: {
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
    },
    static_resources: {
      clusters: [
        grpc("xds-grpc"),
        grpc("sds-grpc"),
        ...sent(resources, "cluster"),
        ...sent(resources, "endpoint").map((assignment, index) => ({
          name: `endpoints-${index}`,
          type: "STATIC",
          load_assignment: assignment,
        })),
      ],
      listeners: [...sent(resources, "listener"), ...sent(resources, "route").map(routeListener)],
    },
  };
}

/** The resources of a kind, decoded from the bytes that are sent, without their type. */
function sent(resources: Resources, kind: XdsKind): unknown[] {
  return resources.names(kind).map(({ name }) => {
    const resource = resources.resource(kind, name);
    if (resource === undefined) throw new Error(`no ${kind} ${name}`);
    const { typeUrl, bytes } = encodeAny(resource);
    return { ...decodeAny(typeUrl, bytes), "@type": undefined };
  });
}

/** Filters that routes speak to must be in the chain: those of an outbound listener. */
function routeListener(table: unknown, index: number): unknown {
  const http = "type.googleapis.com/envoy.extensions.filters";
  const filters = {
    "istio.alpn": `${http}.http.set_filter_state.v3.Config`,
    "envoy.filters.http.router": `${http}.http.router.v3.Router`,
  };
  return {
    name: `routes-${index}`,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    filter_chains: [
      {
        filters: [
          {
            name: "hcm",
            typed_config: {
              "@type": `${http}.network.http_connection_manager.v3.HttpConnectionManager`,
              stat_prefix: "x",
              route_config: table,
              http_filters: Object.entries(filters).map(([name, type]) => ({ name, typed_config: { "@type": type } })),
            },
          },
        ],
      },
    ],
  };
}
