import { expect, test } from "vitest";
import { readSettings, settingsOf } from "../../src/install/settings.ts";

/** `--set meshConfig.…` goes by the schema of MeshConfig: what is text stays text, whatever it looks like. */
test.each([
  ["trustDomain=123", { trustDomain: "123" }],
  ["connectTimeout=5s", { connectTimeout: "5s" }],
  ["defaultConfig.concurrency=2", { defaultConfig: { concurrency: 2 } }],
  ["defaultConfig.proxyMetadata.PORT=80", { defaultConfig: { proxyMetadata: { PORT: "80" } } }],
  ["trustDomainAliases[0]=1.0", { trustDomainAliases: ["1.0"] }],
  ["enableAutoMtls=false", { enableAutoMtls: false }],
  ["outboundTrafficPolicy={mode: REGISTRY_ONLY}", { outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } }],
])("meshConfig.%s", (line, expected) => {
  expect(settingsOf(undefined, [`meshConfig.${line}`]).meshConfig).toMatchObject(expected);
});

test("an item of a list is found by index or by name, and made when it is not there; dots in names are escaped", () => {
  const settings = settingsOf(undefined, [
    "meshConfig.extensionProviders[0].name=zipkin",
    "meshConfig.extensionProviders[0].zipkin.service=zipkin.tools.svc.cluster.local",
    "meshConfig.extensionProviders[name:zipkin].zipkin.port=9411",
    "components.ingressGateways[name:istio-ingressgateway].k8s.replicaCount=3",
    "components.ingressGateways[name:inside].k8s.service.type=ClusterIP",
    "components.pilot.k8s.nodeSelector.kubernetes\\.io/os=linux",
    'components.pilot.k8s.podAnnotations["example.org/a"]=1',
  ]);
  const provider = { name: "zipkin", zipkin: { service: "zipkin.tools.svc.cluster.local", port: 9411 } };
  expect(settings.meshConfig).toMatchObject({ extensionProviders: [provider] });
  expect(settings.components.ingressGateways.map(({ name, k8s }) => [name, k8s?.["replicaCount"]])).toEqual([
    ["istio-ingressgateway", 3],
    ["inside", 1],
  ]);
  expect(settings.components.ingressGateways[1]).toMatchObject({
    enabled: true,
    k8s: { service: { type: "ClusterIP" } },
  });
  expect(settings.components.pilot.k8s).toMatchObject({
    nodeSelector: { "kubernetes.io/os": "linux" },
    podAnnotations: { "example.org/a": "1" },
  });
});

test.each([
  ["values.global.proxy.interceptionMode", "TPROXi", "one of REDIRECT, TPROXY, NONE"],
  ["values.global.proxy.logLevel", "loud", "one of trace, debug, info"],
  ["components.ingressGateways[0].k8s.service.type", "Foo", "one of ClusterIP, NodePort, LoadBalancer"],
])("a value that the schema refuses is refused with what it may be: %s=%s", (path, value, wanted) => {
  expect(() => settingsOf(undefined, [`${path}=${value}`])).toThrow(`--set ${path}: expected ${wanted}`);
});

test("Istio's older names of a setting mean the setting; env is a map or a list", () => {
  const settings = settingsOf(undefined, [
    "values.pilot.env.A=1",
    "values.pilot.traceSampling=50",
    "values.gateways.istio-ingressgateway.type=NodePort",
    "values.global.istioNamespace=mesh",
    "components.pilot.k8s.env=[{name: B, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]",
  ]);
  expect(settings.namespace).toBe("mesh");
  expect(settings.meshConfig).toMatchObject({ defaultConfig: { tracing: { sampling: 50 } } });
  expect(settings.components.pilot.k8s?.["env"]).toMatchObject({ A: "1", B: { valueFrom: {} } });
  expect(settings.components.ingressGateways[0]?.k8s).toMatchObject({
    service: { type: "NodePort", ports: [{}, {}, {}] },
  });
  expect(settings.values).not.toHaveProperty("pilot.env");
});

test("what is known and changes nothing is named; a switch that is off is not", () => {
  const { withoutEffect } = readSettings({
    overlays: [
      { components: { cni: { enabled: true }, ztunnel: { enabled: false } }, values: { telemetry: { enabled: true } } },
    ],
    set: ["values.global.sts.servicePort=1", "values.pilot.autoscaleEnabled=true"],
  });
  expect(withoutEffect).toEqual([
    "components.cni.enabled",
    "values.telemetry.enabled",
    "values.global.sts.servicePort",
  ]);
});

test("files come after the profile and before --set; gateways are merged by name", () => {
  const { settings } = readSettings({
    overlays: [
      {
        profile: "demo",
        tag: 1.5,
        components: { ingressGateways: [{ name: "istio-ingressgateway", k8s: { replicaCount: 4 } }] },
      },
      { meshConfig: { accessLogFile: "/tmp/log" } },
    ],
    set: ["meshConfig.accessLogEncoding=JSON"],
  });
  expect(settings).toMatchObject({
    profile: "demo",
    meshConfig: { accessLogFile: "/tmp/log", accessLogEncoding: "JSON" },
  });
  expect(settings.components.ingressGateways[0]?.k8s).toMatchObject({
    replicaCount: 4,
    resources: { requests: { cpu: "10m" } },
  });
});
