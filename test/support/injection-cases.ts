import type { InjectContext, PodLike } from "../../src/inject/config.ts";
import { loadExpressions } from "../../src/inject/templates.ts";
import { parseYaml } from "../../src/resources/yaml-plain.ts";
import { injectionContext } from "./injection.ts";

// Cases of injection: unit tests hold what becomes of them against goldens, and a real API server takes the results.

/** The pod that each annotation and label is put on. */
export const ANNOTATED_POD: PodLike = parseYaml(`
metadata:
  name: web
  labels: { app: web }
spec:
  containers:
    - name: app
      image: web:1
      ports: [{ name: http, containerPort: 8080 }]
      readinessProbe: { httpGet: { path: /ready, port: http } }
`) as PodLike;

/** A value for each annotation that the injector reads. */
export const ANNOTATION_VALUES: Readonly<Record<string, string>> = {
  "apm.datadoghq.com/env": '{"DD_ENV":"prod"}',
  "inject.istio.io/templates": "sidecar,team",
  "istio.io/reroute-virtual-interfaces": "docker0",
  "prometheus.istio.io/merge-metrics": "false",
  "prometheus.istio.io/scrape-targets": "8080:/metrics,9091",
  "prometheus.istio.io/secure-port": "15091",
  "proxy.istio.io/config": "concurrency: 2\nholdApplicationUntilProxyStarts: true\nproxyMetadata: { A: b }",
  "readiness.status.sidecar.istio.io/applicationPorts": "80",
  "readiness.status.sidecar.istio.io/failureThreshold": "9",
  "readiness.status.sidecar.istio.io/initialDelaySeconds": "7",
  "readiness.status.sidecar.istio.io/periodSeconds": "8",
  "resource.opentelemetry.io/service.version": "7",
  "sidecar.istio.io/agentLogLevel": "default:debug",
  "sidecar.istio.io/bootstrapOverride": "my-bootstrap",
  "sidecar.istio.io/capNetBindService": "true",
  "sidecar.istio.io/componentLogLevel": "http:debug",
  "sidecar.istio.io/discoveryAddress": "istiod.other.svc:15012",
  "sidecar.istio.io/inject": "true",
  "sidecar.istio.io/interceptionMode": "TPROXY",
  "sidecar.istio.io/logLevel": "debug",
  "sidecar.istio.io/nativeSidecar": "true",
  "sidecar.istio.io/proxyCPU": "50m",
  "sidecar.istio.io/proxyCPULimit": "3",
  "sidecar.istio.io/proxyImage": "registry.example.com/proxy:9",
  "sidecar.istio.io/proxyImageType": "distroless",
  "sidecar.istio.io/proxyMemory": "64Mi",
  "sidecar.istio.io/proxyMemoryLimit": "2Gi",
  "sidecar.istio.io/rewriteAppHTTPProbers": "false",
  "sidecar.istio.io/userVolume": '{"certs":{"secret":{"secretName":"certs"}}}',
  "sidecar.istio.io/userVolumeMount": '{"certs":{"mountPath":"/etc/certs","readOnly":true}}',
  "status.sidecar.istio.io/port": "0",
  "traffic.sidecar.istio.io/excludeInboundPorts": "9999",
  "traffic.sidecar.istio.io/excludeInterfaces": "eth1",
  "traffic.sidecar.istio.io/excludeOutboundIPRanges": "10.1.0.0/16",
  "traffic.sidecar.istio.io/excludeOutboundPorts": "3306",
  "traffic.sidecar.istio.io/includeInboundPorts": "8080",
  "traffic.sidecar.istio.io/includeOutboundIPRanges": "10.0.0.0/8",
  "traffic.sidecar.istio.io/includeOutboundPorts": "443",
  "traffic.sidecar.istio.io/kubevirtInterfaces": "k0",
};

const LABELS: Readonly<Record<string, string>> = {
  "security.istio.io/tlsMode": "disabled",
  "service.istio.io/canonical-name": "shop",
  "service.istio.io/canonical-revision": "v7",
  "service.istio.io/workload-name": "front",
  "sidecar.istio.io/inject": "true",
  "topology.istio.io/network": "net-2",
};

const template = 'metadata: { labels: { team: "${namespace}" } }';
const base = injectionContext();
/** With a second template, `team`, and a provider of traces that asks for attributes. */
export const annotationContext: InjectContext = {
  ...base,
  config: { ...base.config, templates: { ...base.config.templates, team: template } },
  meshConfig: {
    ...base.meshConfig,
    extensionProviders: [{ name: "o", opentelemetry: { serviceAttributeEnrichment: "OTEL_SEMANTIC_CONVENTIONS" } }],
  },
};

/** A pod with one annotation or label more. */
export function withNote(
  kind: "annotations" | "labels",
  name: string,
  value: string,
  pod: PodLike = ANNOTATED_POD,
): PodLike {
  return { ...pod, metadata: { ...pod.metadata, [kind]: { ...pod.metadata?.[kind], [name]: value } } };
}

/** Kind, name, value of each. */
export const annotationCases = [
  ...Object.entries(ANNOTATION_VALUES).map(([name, value]) => ["annotations", name, value] as const),
  ...Object.entries(LABELS).map(([name, value]) => ["labels", name, value] as const),
];

/** The pod that templates of users are put on. */
export const TEMPLATED_POD = parseYaml(`
metadata: { name: web, labels: { app: web, tier: front } }
spec:
  containers:
    - { name: app, image: web:1, ports: [{ name: http, containerPort: 8080 }] }
`) as PodLike;

/** Injection with more templates, some of them by default. */
export async function contextWithTemplates(
  templates: Readonly<Record<string, string>>,
  names: readonly string[],
  values: readonly string[] = [],
): Promise<InjectContext> {
  const base = injectionContext(values);
  const config = { ...base.config, templates: { ...base.config.templates, ...templates }, defaultTemplates: names };
  const expressions = await loadExpressions(config);
  return { ...base, config, ...(expressions === undefined ? {} : { expressions }) };
}

/** Templates of users, stacked on ours; what they do to the pod is in the golden. */
export const TEMPLATE_STACKS: Readonly<
  Record<string, { readonly template: string; readonly names: readonly string[] }>
> = {
  "paths-and-conditions": {
    names: ["own"],
    template: `
metadata:
  labels: { team: '\${labels.team ?? namespace}' }
spec:
  containers:
    - $when: labels.tier
      name: log
      image: log:1
      env:
        - { name: TIER, value: 'tier-\${labels.tier}' }
    - { $when: '!labels.tier', name: none, image: none:1 }
  volumes:
    - $splice: \${volumes}
`,
  },
  expressions: {
    names: ["own"],
    template: `
metadata:
  labels:
    ports: '\${{ string(pod.spec.containers.map(c, c.ports.size())[0]) }}'
spec:
  terminationGracePeriodSeconds: '\${{ labels.tier == "front" ? 30 : 5 }}'
  containers:
    - $when: '\${{ "app" in labels && labels.app.startsWith("w") }}'
      name: app
      env: [{ name: PORTS, value: '\${{ pod.spec.containers.map(c, string(c.ports[0].containerPort)).join(",") }}' }]
`,
  },
  "over-the-sidecar": {
    names: ["sidecar", "own"],
    template: `
spec:
  initContainers:
    - { name: istio-init, $patch: delete }
  containers:
    - name: istio-proxy
      env: [{ name: EXTRA, value: "1" }]
      readinessProbe: null
      resources: { $patch: replace, requests: { cpu: 1m } }
`,
  },
};

/** Forms of the sidecar: name, `--set` lines, what the caller knows beside them. */
export const injectionForms: readonly (readonly [string, readonly string[], Partial<InjectContext>])[] = [
  ["cni", ["values.pilot.cni.enabled=true", "values.pilot.cni.provider=multus"], {}],
  ["native", [], { nativeSidecars: true }],
  [
    "openshift",
    ["values.global.platform=openshift"],
    { namespaceAnnotations: { "openshift.io/sa.scc.uid-range": "1000670000/10000" } },
  ],
  [
    "values",
    [
      "values.global.proxy.seccompProfile.type=RuntimeDefault",
      "values.global.logAsJson=true",
      "values.global.variant=distroless",
      "values.global.proxy.holdApplicationUntilProxyStarts=true",
      "values.global.imagePullSecrets[0]=registry",
      "values.global.network=net-1",
    ],
    {},
  ],
];
