import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readModuleConfig } from "../../../src/agent/extensions/module-config.ts";
import { statNamespaceExtension } from "../../../src/agent/bootstrap-stats.ts";
import { createMesh } from "../../../src/compile/mesh.ts";
import { validateConfig } from "../../../src/envoy/validate.ts";
import { worldOf } from "../../../src/resources/world-store.ts";
import { decodeAny, encodeAny, type TypedAny } from "../../../src/wire/codec.ts";
import { type Resources, resourcesFor } from "../../../src/xds/resources.ts";
import type { XdsKind } from "../../../src/xds/types.ts";
import { testEnvoy } from "../../support/envoy/binary.ts";
import { configOf, readIrCase } from "../../support/ir-case.ts";
import { wasmModule } from "../../support/wasm/module.ts";
import { readXdsCase } from "../../support/xds-case.ts";

// Every golden's configuration passes `envoy --mode validate`: routes inline in a listener of their own, endpoints in a
// static cluster, all else as it is sent.
const IN = join(import.meta.dirname, "../../xds/testdata/in");
const envoy = await testEnvoy();
const folder = mkdtempSync(join(tmpdir(), "validate-"));
const module = join(folder, "module.wasm");
writeFileSync(module, await wasmModule());
afterAll(() => rmSync(folder, { recursive: true }));

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

const FILTERS = "type.googleapis.com/envoy.extensions.filters";

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
    // the tap filter wants one: without it Envoy crashes
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
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
      listeners: [
        ...sent(resources, "listener"),
        ...sent(resources, "route").map(routeListener),
        ...extensionListeners(resources),
      ],
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
  const alpn = { name: "istio.alpn", typed_config: { "@type": `${FILTERS}.http.set_filter_state.v3.Config` } };
  return {
    name: `routes-${index}`,
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    filter_chains: [{ filters: [manager(table, [alpn])] }],
  };
}

function manager(table: unknown, filters: readonly unknown[]): unknown {
  const router = { name: "envoy.filters.http.router", typed_config: { "@type": `${FILTERS}.http.router.v3.Router` } };
  return {
    name: "hcm",
    typed_config: {
      "@type": `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: "x",
      route_config: table,
      http_filters: [...filters, router],
    },
  };
}

/** Each extension in a chain of its own, as its filter gets it; modules as files, as the agent makes them. */
function extensionListeners(resources: Resources): readonly unknown[] {
  return resources.names("extension").map(({ name }, index) => {
    const resource = resources.resource("extension", name);
    if (resource === undefined) throw new Error(`no extension ${name}`);
    const ready = readModuleConfig(resource)?.inFile(module) ?? resource;
    const { typed_config: config } = decodeAny(ready["@type"], encodeAny(ready).bytes) as unknown as {
      readonly typed_config: TypedAny;
    };
    // files of cases are not on this machine
    const filter = JSON.parse(
      JSON.stringify({ name, typed_config: config }, (key, value: unknown) => (key === "filename" ? module : value)),
    ) as unknown;
    const isNetwork = config["@type"].includes(".network.");
    return {
      name: `extension-${index}`,
      address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
      filter_chains: [{ filters: [...(isNetwork ? [filter] : []), manager({}, isNetwork ? [] : [filter])] }],
    };
  });
}
