import { afterAll, beforeAll, expect, test } from "vitest";
import { createApi } from "../../src/local/api/api.ts";
import type { Api, ResourceId } from "../../src/local/api/types.ts";
import { gatewayApiKinds } from "../../src/gen/mesh-kinds.ts";
import { installGatewayApi } from "../../src/local/gateway-api.ts";
import type { KubeObject } from "../../src/resources/object.ts";

/** The embedded cluster has Gateway API from the start. */
let api: Api;

beforeAll(async () => {
  api = await createApi({
    listen: [{ host: "127.0.0.1", port: 0 }],
    serviceCidr: "10.96.0.0/16",
    log: () => undefined,
  });
  await installGatewayApi(api.client);
});
afterAll(async () => {
  await api?.close();
});

const id = (resource: string, version = "v1"): ResourceId => ({
  group: "gateway.networking.k8s.io",
  version,
  resource,
});

function route(spec: unknown, name = "shop"): KubeObject {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name, namespace: "default" },
    spec,
  };
}

test("every kind is served in every version", async () => {
  for (const { plural, versions } of Object.values(gatewayApiKinds))
    for (const version of versions) expect((await api.client.list(id(plural, version))).items).toEqual([]);
});

test("objects get their defaults and keep no unknown fields out of sight", async () => {
  const made = await api.client.create(
    id("httproutes"),
    route({ parentRefs: [{ name: "edge" }], rules: [{ backendRefs: [{ name: "shop", port: 80 }] }] }),
  );
  expect(made.spec).toEqual({
    parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" }],
    rules: [
      {
        matches: [{ path: { type: "PathPrefix", value: "/" } }],
        backendRefs: [{ group: "", kind: "Service", name: "shop", port: 80, weight: 1 }],
      },
    ],
  });
});

test("what the schema refuses is refused", async () => {
  const bad = route({ rules: [{ backendRefs: [{ name: "shop", port: 99999 }] }] }, "bad");
  await expect(api.client.create(id("httproutes"), bad)).rejects.toThrow(/spec\.rules\[0\]\.backendRefs\[0\]\.port/);
});
