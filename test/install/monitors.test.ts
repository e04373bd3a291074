import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inject } from "../../src/inject/inject.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { documentsOf } from "../../src/resources/yaml-documents.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { injectionContext, renderedObjects } from "../support/injection.ts";

// What a Prometheus Operator is given finds what the mesh has, and says the same rules as the addon.

const root = join(import.meta.dirname, "../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const monitors = documentsOf(read("samples/addons/prometheus-operator.yaml"))
  .map(({ text }) => parseYaml(text) as KubeObject | null)
  .filter((object) => object !== null);
const specOf = <T>(kind: string): T => monitors.find((object) => object.kind === kind)?.spec as T;

interface Relabeling {
  readonly sourceLabels: readonly string[];
  readonly regex?: string;
  readonly replacement?: string;
  readonly action?: string;
  readonly targetLabel?: string;
}

/** Labels after relabelling as Prometheus does it; undefined: the target is dropped. */
function relabelled(
  rules: readonly Relabeling[],
  start: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> | undefined {
  const labels = { ...start };
  for (const { sourceLabels, regex = "(.*)", replacement = "$1", action = "replace", targetLabel = "" } of rules) {
    const found = new RegExp(`^(?:${regex})$`).exec(sourceLabels.map((name) => labels[name] ?? "").join(";"));
    if (action === "keep" && found === null) return undefined;
    if (action === "replace" && found !== null)
      labels[targetLabel] = replacement.replace(/\$(\d)/g, (_, group: string) => found[Number(group)] ?? "");
  }
  return labels;
}

/** Prometheus's labels of the container of an injected pod. */
function discovered(container: string, address: string): Readonly<Record<string, string>> {
  const pod = { metadata: { name: "web-1", namespace: "shop", labels: { app: "web", version: "v1" } } };
  const { pod: injected } = inject({ ...pod, spec: { containers: [{ name: "web", image: "x" }] } }, injectionContext());
  const safe = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, "_");
  const meta = (what: "annotation" | "label", all: Readonly<Record<string, string>> = {}): [string, string][] =>
    Object.entries(all).map(([name, value]) => [`__meta_kubernetes_pod_${what}_${safe(name)}`, value]);
  return {
    __meta_kubernetes_pod_container_name: container,
    __meta_kubernetes_pod_ip: address,
    ...Object.fromEntries(meta("annotation", injected.metadata?.annotations)),
    ...Object.fromEntries(meta("label", injected.metadata?.labels)),
  };
}

test.each([
  ["10.0.0.7", "10.0.0.7:15020"],
  ["fd00::7", "[fd00::7]:15020"],
])("the PodMonitor finds an injected pod at %s by what injection writes into it", (address, target) => {
  interface PodMonitor {
    readonly selector: { readonly matchExpressions: readonly { readonly key: string }[] };
    readonly podMetricsEndpoints: readonly { readonly path: string; readonly relabelings: readonly Relabeling[] }[];
  }
  const { selector, podMetricsEndpoints } = specOf<PodMonitor>("PodMonitor");
  const pod = discovered("istio-proxy", address);
  for (const { key } of selector.matchExpressions)
    expect(pod[`__meta_kubernetes_pod_label_${key.replace(/[^a-zA-Z0-9_]/g, "_")}`], key).toBe("web");
  for (const { path, relabelings } of podMetricsEndpoints) {
    expect(path).toBe(pod["__meta_kubernetes_pod_annotation_prometheus_io_path"]);
    expect(relabelled(relabelings, pod)).toMatchObject({ __address__: target, app: "web", version: "v1" });
    // one target a pod, not one a container
    expect(relabelled(relabelings, discovered("web", address))).toBeUndefined();
  }
});

test("the ServiceMonitor finds the control plane's Service and its port", () => {
  interface ServiceMonitor {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly endpoints: readonly { readonly port: string }[];
  }
  const { selector, endpoints } = specOf<ServiceMonitor>("ServiceMonitor");
  const services = renderedObjects("demo").filter(
    ({ kind, metadata }) =>
      kind === "Service" &&
      Object.entries(selector.matchLabels).every(([name, value]) => metadata.labels?.[name] === value),
  );
  expect(services.map(({ metadata }) => metadata.name)).toEqual(["istiod"]);
  const ports = services.flatMap(({ spec }) => (spec as { ports: { name: string; port: number }[] }).ports);
  expect(endpoints.map(({ port }) => ports.find(({ name }) => name === port)?.port)).toEqual([15_014]);
});

test("the PrometheusRule says the rules of the addon", () => {
  expect(specOf("PrometheusRule")).toEqual(
    parseYaml(read("manifests/addons/prometheus/rules.yaml").replaceAll("%NAMESPACE%", "istio-system")),
  );
});
