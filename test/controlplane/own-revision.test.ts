import { expect, test } from "vitest";
import { ownChanges } from "../../src/controlplane/own-revision.ts";
import type { KubeObject } from "../../src/resources/object.ts";

const object = (apiVersion: string, kind: string, revision?: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: {
    name: "x",
    namespace: "shop",
    ...(revision === undefined ? {} : { labels: { "istio.io/rev": revision } }),
  },
});
const seen = (of: KubeObject, revision: string): string =>
  ownChanges([{ type: "set", object: of }], revision)
    .map(({ type }) => type)
    .join();

test("configuration with a revision's label is that revision's alone; without one, and elsewhere, everybody's", () => {
  const service = (revision?: string): KubeObject => object("networking.istio.io/v1", "VirtualService", revision);
  expect([seen(service(), "default"), seen(service(), "canary")]).toEqual(["set", "set"]);
  expect([seen(service("canary"), "default"), seen(service("canary"), "canary")]).toEqual(["delete", "set"]);
  expect([seen(service("default"), "default"), seen(service("default"), "canary")]).toEqual(["set", "delete"]);
  expect(seen(object("gateway.networking.k8s.io/v1", "HTTPRoute", "canary"), "default")).toBe("delete");
  // there the label asks for injection
  for (const kind of ["Pod", "Namespace", "Service", "ConfigMap"])
    expect(seen(object("v1", kind, "canary"), "default"), kind).toBe("set");
  // the empty name is the default revision's
  expect(seen(service("default"), "")).toBe("set");
});
