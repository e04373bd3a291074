import { createRoot } from "../../../src/pki/ca.ts";
import type { TargetRef } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";

// Causes for failing checks, as objects that a real API server takes.

export const meta = (name: string, namespace?: string, labels?: Record<string, string>): KubeObject["metadata"] => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...(labels === undefined ? {} : { labels }),
});
export const node: KubeObject = { apiVersion: "v1", kind: "Node", metadata: meta("n1"), spec: {} };
export const READY = {
  conditions: [{ type: "Ready", status: "True" }],
  allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
  nodeInfo: {
    architecture: "amd64",
    operatingSystem: "linux",
    kernelVersion: "6.8.0",
    kubeletVersion: "v1.36.0",
    containerRuntimeVersion: "containerd://2.0.0",
    bootID: "x",
    kubeProxyVersion: "",
    machineID: "x",
    osImage: "x",
    systemUUID: "x",
  },
};
export const shop: KubeObject = { apiVersion: "v1", kind: "Namespace", metadata: meta("shop") };

export function targetOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): TargetRef {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

export function crd(
  group: string,
  names: { plural: string; kind: string; shortNames?: readonly string[] },
  version = "v1",
): KubeObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: meta(`${names.plural}.${group}`),
    spec: {
      group,
      scope: "Namespaced",
      names: { ...names, singular: names.kind.toLowerCase() },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  };
}

export function hook(name: string, webhook: object): KubeObject {
  const defaults = { admissionReviewVersions: ["v1"], sideEffects: "None", failurePolicy: "Fail" };
  const rules = [{ apiGroups: ["example.org"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["things"] }];
  const clientConfig = { service: { name: "gone", namespace: "shop" } };
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: meta(name),
    webhooks: [{ ...defaults, rules, clientConfig, ...webhook }],
  };
}

export const workload = (kind: "Deployment" | "DaemonSet", name: string, labels = { app: name }): KubeObject => ({
  apiVersion: "apps/v1",
  kind,
  metadata: meta(name, "shop", labels),
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ name: "a", image: "a" }] } },
  },
});

const PODS = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }];
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const later = (hours: number): Date => new Date(Date.now() + hours * 3_600_000);
const expired = await createRoot("x", { notBefore: later(-10), notAfter: later(-1) });

const service = (name: string, namespace: string, labels?: Record<string, string>): KubeObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: meta(name, namespace, labels),
  spec: { selector: { app: name }, ports: [{ port: 443 }] },
});
const lease = (name: string, namespace: string, spec: object): KubeObject => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: meta(name, namespace),
  spec,
});
/** A webhook that injects where Istio's label says so. */
const injector = (name: string): KubeObject =>
  hook(name, {
    name: "namespace.sidecar-injector.istio.io",
    rules: PODS,
    failurePolicy: "Ignore",
    namespaceSelector: { matchLabels: { "istio-injection": "enabled" } },
  });
const conversion = {
  strategy: "Webhook",
  webhook: { conversionReviewVersions: ["v1"], clientConfig: { service: { name: "gone", namespace: "shop" } } },
};
const converted = crd("networking.istio.io", { plural: "sidecars", kind: "Sidecar" });

const foreignMesh = crd("networking.istio.io", { plural: "gateways", kind: "Gateway" }, "v1alpha2");

/** The way to another cluster, as create-remote-secret writes it. */
const remoteSecret = (cluster: string, server: string): KubeObject => {
  const text = `
current-context: it
contexts: [{ name: it, context: { cluster: it } }]
clusters: [{ name: it, cluster: { server: "${server}" } }]
`;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: meta("other-cluster", "istio-system", { "istio/multiCluster": "true" }),
    data: { [cluster]: Buffer.from(text).toString("base64") },
  };
};

/** The entrance of a network, which no balancer has given an address. */
const entrance: KubeObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: meta("entrance", "shop", { "topology.istio.io/network": "west" }),
  spec: { type: "LoadBalancer", ports: [{ name: "tls", port: 15443 }] },
};

export const CONDITIONS: readonly (readonly [check: string, ...objects: KubeObject[]])[] = [
  ["webhooks-reachable", hook("left-over", { name: "a.example.org" })],
  ["injection-webhooks", hook("foreign", { name: "namespace.sidecar-injector.istio.io", failurePolicy: "Ignore" })],
  ["other-meshes", hook("linkerd", { name: "linkerd-proxy-injector.linkerd.io", failurePolicy: "Ignore" })],
  ["crds", foreignMesh],
  ["crd-stored-versions", foreignMesh],
  [
    "gateway-api",
    {
      ...crd("gateway.networking.k8s.io", { plural: "gateways", kind: "Gateway" }),
      metadata: {
        ...meta("gateways.gateway.networking.k8s.io"),
        annotations: { "api-approved.kubernetes.io": "unapproved, a test" },
      },
    },
  ],
  ["other-control-plane", workload("Deployment", "istiod")],
  ["istio-operator", workload("Deployment", "istio-operator")],
  ["cni-plugin", workload("DaemonSet", "istio-cni-node")],
  ["ambient-proxy", workload("DaemonSet", "ztunnel")],
  [
    "helm-releases",
    {
      apiVersion: "v1",
      kind: "Secret",
      type: "helm.sh/release.v1",
      metadata: meta("r", "istio-system", { name: "istiod" }),
    },
  ],
  ["cluster-names", remoteSecret("Kubernetes", "https://203.0.113.9:6443")],
  ["remote-addresses", remoteSecret("west", "https://127.0.0.1:6443")],
  ["cluster-network", entrance],
  ["network-gateway-address", entrance],
  ["ca-secret-left", { apiVersion: "v1", kind: "Secret", metadata: meta("istio-ca-secret", "istio-system") }],
  ["plugged-ca", { apiVersion: "v1", kind: "Secret", metadata: meta("cacerts", "istio-system") }],
  ["root-configmaps-left", { apiVersion: "v1", kind: "ConfigMap", metadata: meta("istio-ca-root-cert", "shop") }],
  [
    "quota",
    { apiVersion: "v1", kind: "ResourceQuota", metadata: meta("q", "istio-system"), spec: { hard: { pods: "1" } } },
  ],
  [
    "limit-range",
    {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: meta("l", "istio-system"),
      spec: { limits: [{ type: "Container", min: { memory: "1Gi" } }] },
    },
  ],
  [
    "pod-security",
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: meta("strict", undefined, {
        "istio-injection": "enabled",
        "pod-security.kubernetes.io/enforce": "restricted",
      }),
    },
  ],
  [
    "namespace-labels",
    { apiVersion: "v1", kind: "Namespace", metadata: meta("odd", undefined, { "istio-injection": "yes" }) },
  ],
  [
    "namespace-label-conflict",
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: meta("both", undefined, { "istio-injection": "enabled", "istio.io/rev": "x" }),
    },
  ],
  [
    "namespace-revisions-left",
    { apiVersion: "v1", kind: "Namespace", metadata: meta("waits", undefined, { "istio.io/rev": "1-20" }) },
  ],
  [
    "cluster-roles",
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: meta("istiod-old"),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "ServiceAccount", name: "istiod", namespace: "old" }],
    },
  ],
  [
    "deprecated-annotations",
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...meta("old", "shop"), annotations: { "alpha.istio.io/canonical-serviceaccounts": "x" } },
      spec: { ports: [{ port: 80 }] },
    },
  ],
  [
    "aggregated-apis",
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: meta("v1.things.example.org"),
      spec: {
        group: "things.example.org",
        version: "v1",
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { name: "gone", namespace: "shop" },
      },
    },
  ],
  ["node-clocks", lease("n1", "kube-node-lease", { renewTime: later(1).toISOString().replace("Z", "000Z") })],
  ["cluster-dns", service("kube-dns", "kube-system", { "k8s-app": "kube-dns" })],
  [
    "system-namespaces",
    { apiVersion: "v1", kind: "Namespace", metadata: meta("kube-system", undefined, { "istio-injection": "enabled" }) },
  ],
  [
    "injection-overlap",
    injector("first"),
    injector("second"),
    { apiVersion: "v1", kind: "Namespace", metadata: meta("both", undefined, { "istio-injection": "enabled" }) },
  ],
  ["webhook-timeout", hook("slow", { name: "slow.example.org", rules: PODS, timeoutSeconds: 30 })],
  ["webhook-kube-system", hook("greedy", { name: "all.istio.io", rules: PODS })],
  [
    "tag-targets",
    {
      ...hook("istio-revision-tag-prod", { name: "rev.namespace.sidecar-injector.istio.io", failurePolicy: "Ignore" }),
      metadata: meta("istio-revision-tag-prod", undefined, { "istio.io/tag": "prod", "istio.io/rev": "1-20" }),
    },
  ],
  [
    "webhook-ports",
    service("policy", "shop"),
    hook("wrong-port", {
      name: "a.example.org",
      clientConfig: { service: { name: "policy", namespace: "shop", port: 9443 } },
    }),
  ],
  [
    "webhook-endpoints",
    service("policy", "shop"),
    hook("nobody", { name: "a.example.org", clientConfig: { service: { name: "policy", namespace: "shop" } } }),
  ],
  [
    "webhook-ca-bundles",
    hook("foreign", {
      name: "a.example.org",
      failurePolicy: "Ignore",
      clientConfig: { url: "https://a.example.org", caBundle: base64("no certificate") },
    }),
  ],
  [
    "webhook-ca-expiry",
    hook("foreign", {
      name: "a.example.org",
      failurePolicy: "Ignore",
      clientConfig: { url: "https://a.example.org", caBundle: base64(expired.certificate) },
    }),
  ],
  ["crd-conversion", { ...converted, spec: { ...(converted.spec as object), conversion } }],
  ["leader-leases", lease("istio-leader", "istio-system", { holderIdentity: "istiod-old" })],
  [
    "upgrade-path",
    {
      ...workload("Deployment", "istiod"),
      metadata: meta("istiod", "shop", { app: "istiod", "operator.istio.io/version": "99.0.0" }),
    },
  ],
];
