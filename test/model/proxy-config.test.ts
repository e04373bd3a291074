import { expect, test } from "vitest";
import { usesNativeSidecars } from "../../src/model/native-sidecars.ts";
import { effectiveProxyConfig, type ProxyConfigSources } from "../../src/model/proxy-config.ts";

type Resource = ProxyConfigSources["resources"][number];

const resource = (namespace: string, spec: NonNullable<Resource["spec"]>, created = "2026-01-01"): Resource => ({
  apiVersion: "networking.istio.io/v1beta1",
  kind: "ProxyConfig",
  metadata: { name: `${namespace}-${created}`, namespace, creationTimestamp: created },
  spec,
});

const sources: ProxyConfigSources = {
  mesh: { concurrency: 1, proxyMetadata: { A: "mesh", B: "mesh" }, tracing: { sampling: 5, zipkin: { address: "z" } } },
  resources: [],
  rootNamespace: "istio-system",
  namespace: "shop",
  labels: { app: "web" },
  annotation: undefined,
};
const root = resource("istio-system", { concurrency: 2, environmentVariables: { B: "root", C: "root" } });
const own = resource("shop", { concurrency: 3 });
const selected = resource("shop", { concurrency: 5, selector: { matchLabels: { app: "web" } } });

test.each<[string, Partial<ProxyConfigSources>, unknown]>([
  ["the mesh alone", {}, 1],
  ["the root namespace", { resources: [root] }, 2],
  ["the pod's namespace", { resources: [own, root] }, 3],
  ["the annotation", { resources: [own, root], annotation: { concurrency: 4 } }, 4],
  ["a selector", { resources: [own, root, selected], annotation: { concurrency: 4 } }, 5],
  ["a selector for others", { resources: [selected], labels: { app: "api" } }, 1],
  ["another namespace", { resources: [own, selected], namespace: "other" }, 1],
  ["the older of two", { resources: [resource("shop", { concurrency: 9 }, "2026-02-01"), own] }, 3],
])("%s decides", (_, more, concurrency) => {
  expect(effectiveProxyConfig({ ...sources, ...more })["concurrency"]).toBe(concurrency);
});

test("environment is merged by name, every other field is replaced as a whole", () => {
  const merged = effectiveProxyConfig({ ...sources, resources: [root], annotation: { tracing: { sampling: 9 } } });
  expect(merged).toMatchObject({ proxyMetadata: { A: "mesh", B: "root", C: "root" } });
  expect(merged["tracing"]).toEqual({ sampling: 9 });
});

test.each<[string | undefined, readonly string[], boolean]>([
  ["true", ["v1.20.0"], true],
  ["false", ["v1.34.0"], false],
  ["auto", ["v1.33.4", "v1.34.0+k3s1"], true],
  [undefined, ["v1.33.4", "v1.32.9"], false],
  [undefined, [], false],
])("native sidecars: set to %s, kubelets %j: %s", (setting, kubeletVersions, used) => {
  expect(usesNativeSidecars({ setting, kubeletVersions })).toBe(used);
});
