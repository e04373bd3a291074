import { expect, test } from "vitest";
import { createModel } from "../../src/model/model.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { worldOf } from "../../src/resources/world-store.ts";

const telemetry = (name: string, created: string, spec: object = {}): KubeObject => {
  const [namespace, own = ""] = name.split("/");
  const metadata = { namespace, name: own, creationTimestamp: `2024-01-0${created}T00:00:00Z` };
  return { apiVersion: "telemetry.istio.io/v1", kind: "Telemetry", metadata, spec } as unknown as KubeObject;
};
const of = (objects: readonly KubeObject[], namespace: string, labels: Readonly<Record<string, string>> = {}) =>
  createModel(worldOf(objects)).telemetries.of({ namespace, labels });

test("the widest first; of several for a namespace the oldest, of those that select all, oldest first", () => {
  const selector = { matchLabels: { app: "web" } };
  const objects = [
    telemetry("istio-system/new", "5"),
    telemetry("istio-system/old", "2"),
    telemetry("istio-system/own", "1", { selector }),
    telemetry("shop/b", "4", { selector }),
    telemetry("shop/a", "3", { selector }),
    telemetry("shop/wide", "6"),
    telemetry("other/wide", "1"),
  ];
  expect(of(objects, "shop", { app: "web" })).toEqual(["istio-system/old", "shop/wide", "shop/a", "shop/b"]);
  expect(of(objects, "shop", { app: "db" })).toEqual(["istio-system/old", "shop/wide"]);
  expect(of(objects, "istio-system", { app: "web" })).toEqual(["istio-system/old", "istio-system/own"]);
});

test("a target is a Gateway of the namespace, by targetRef and by targetRefs", () => {
  const gateway = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" };
  const objects = [
    telemetry("shop/one", "1", { targetRef: gateway }),
    telemetry("shop/many", "2", { targetRefs: [{ group: "", kind: "Service", name: "edge" }, gateway] }),
    telemetry("shop/service", "3", { targetRefs: [{ group: "", kind: "Service", name: "edge" }] }),
  ];
  const labels = { "gateway.networking.k8s.io/gateway-name": "edge" };
  expect(of(objects, "shop", labels)).toEqual(["shop/one", "shop/many"]);
  expect(of(objects, "shop")).toEqual([]);
  expect(of(objects, "other", labels)).toEqual([]);
});

test("hosts of collectors: of the mesh's default providers, and of what a namespace's Telemetries name", () => {
  const service = (host: string) => ({ service: `tools/${host}`, port: 80 });
  const extensionProviders = [
    { name: "spans", zipkin: service("spans.tools") },
    { name: "logs", envoyOtelAls: service("logs.tools") },
    {
      name: "sampled",
      opentelemetry: { ...service("sampled.tools"), dynatraceSampler: { httpService: service("asked.tools") } },
    },
    { name: "unused", zipkin: service("unused.tools") },
  ];
  const mesh = JSON.stringify({ extensionProviders, defaultProviders: { accessLogging: ["logs"] } });
  const config = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: "istio-system", name: "istio" },
    data: { mesh },
  } as unknown as KubeObject;
  const { telemetries } = createModel(
    worldOf([
      config,
      telemetry("shop/a", "1", { tracing: [{ providers: [{ name: "spans" }] }] }),
      telemetry("istio-system/b", "1", { tracing: [{ providers: [{ name: "SAMPLED" }] }] }),
    ]),
  );
  expect(telemetries.collectors("shop")).toEqual(["asked.tools", "logs.tools", "sampled.tools", "spans.tools"]);
  expect(telemetries.collectors("other")).toEqual(["asked.tools", "logs.tools", "sampled.tools"]);
});
