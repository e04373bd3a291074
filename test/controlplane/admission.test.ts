import { expect, test } from "vitest";
import { admit as answer } from "../../src/controlplane/admission.ts";
import type { AdmissionRequest } from "../../src/controlplane/webhook.ts";
import type { KubeObject } from "../../src/resources/object.ts";

const admit = (object: KubeObject | null, more: Partial<AdmissionRequest> = {}) =>
  answer(
    { uid: "u", operation: "CREATE", object, ...more },
    { raw: { extensionProviders: [{ name: "jaeger", zipkin: {} }] } },
  );

const plugin = {
  apiVersion: "extensions.istio.io/v1alpha1",
  kind: "WasmPlugin",
  metadata: { name: "checks", namespace: "shop" },
};
const route = (http: object): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "reviews", namespace: "shop" },
  spec: { hosts: ["reviews"], http: [http] },
});
const to = [{ destination: { host: "reviews" } }];

test("fields without effect are named in one warning", () => {
  const rule: KubeObject = {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "reviews", namespace: "shop" },
    spec: { host: "reviews", trafficPolicy: { outlierDetection: { consecutiveErrors: 5 } } },
  };
  const { allowed, warnings = [] } = admit(rule);
  expect(allowed).toBe(true);
  expect(warnings.filter((text) => text.includes("has no effect"))).toEqual([
    "accepted, has no effect: spec.trafficPolicy.outlierDetection.consecutiveErrors (Istio does nothing with it either). Write consecutive5xxErrors or consecutiveGatewayErrors.",
  ]);
});

test("nothing is said of an object that is obeyed, refused or deleted", () => {
  expect(admit(route({ route: to, timeout: "1s" }))).toMatchObject({ allowed: true, warnings: [] });
  expect(admit(route({ route: to, mirror: "b" }))).toMatchObject({ allowed: false, warnings: [] });
  expect(admit(null)).toEqual({ allowed: true });
});

test("a deletion is allowed, whatever is deleted", () => {
  expect(admit(route({ route: "nonsense" }), { operation: "DELETE" })).toEqual({ allowed: true });
});

test("a kind or version that is newer than we are is let through", () => {
  const newer = {
    apiVersion: "networking.istio.io/v9",
    kind: "VirtualService",
    metadata: { name: "a" },
    spec: { a: 1 },
  };
  expect(admit(newer)).toMatchObject({ allowed: true });
  expect(admit({ ...newer, apiVersion: "security.istio.io/v1", kind: "FutureKind" })).toMatchObject({ allowed: true });
});

test("an object without a name has the one that the API server will make, and the namespace of the request", () => {
  const gateway = (metadata: object): KubeObject => ({
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: metadata as KubeObject["metadata"],
    spec: { servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }] },
  });
  expect(admit(gateway({ generateName: "edge-" }))).toMatchObject({ allowed: true });
  expect(admit(gateway({ generateName: "edge." }))).toMatchObject({ allowed: false });
  const rule = { ...route({ route: to }), metadata: { name: "a" } };
  const spec = { hosts: ["a"], http: [{ route: to }], exportTo: [".", "shop"] };
  expect(admit({ ...rule, spec }, { namespace: "shop" }).message).toContain("shop is given twice");
  expect(admit({ ...rule, spec }, { namespace: "other" })).toMatchObject({ allowed: true });
});

test("a Telemetry that names a provider in vain is taken, and told so with the place", () => {
  const telemetry = { ...plugin, apiVersion: "telemetry.istio.io/v1", kind: "Telemetry" };
  const spec = {
    tracing: [{ providers: [{ name: "nobody" }] }],
    accessLogging: [{ providers: [{ name: "envoy" }, { name: "jaeger" }] }],
  };
  expect(admit({ ...telemetry, spec })).toMatchObject({
    allowed: true,
    warnings: [
      "spec.tracing[0].providers[0].name: provider nobody is not defined in the mesh configuration; defined: jaeger. Define it under extensionProviders of the mesh configuration, or correct its name.",
      "spec.accessLogging[0].providers[1].name: provider jaeger gets no access logs: it is of kind zipkin. Name a provider of a fitting kind, whose service the mesh knows.",
    ],
  });
  expect(admit({ ...telemetry, spec: { tracing: [{ providers: [{ name: "jaeger" }] }] } })).toMatchObject({
    warnings: [],
  });
});
