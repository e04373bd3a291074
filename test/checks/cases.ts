// oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-return, typescript/no-unsafe-argument -- causes reach into objects of any kind
import { createRoot } from "../../src/pki/ca.ts";
import { base64, type Cause, deployment, hook, type Loose, later, NOW, namespace, root, service } from "./mesh.ts";
import { RUNNING_CAUSES } from "./running-cases.ts";
import { SEVERAL_CLUSTERS_CAUSES } from "./several-clusters.ts";

const OLD = "operator.istio.io/version";
const ISTIO = "istio-system";
const SERVICE = { service: { name: "gone", namespace: "x" } };
const PODS = [{ apiGroups: [""], resources: ["pods"], operations: ["CREATE"] }];
const INJECTOR = "istio-sidecar-injector";
const VALIDATOR = `istio-validator-${ISTIO}`;
const nodeInfo =
  (info: object): Cause =>
  (mesh) =>
    mesh.edit("Node", "n1", (node) => Object.assign(node.status.nodeInfo, info));
const condition =
  (type: string, status = "True"): Cause =>
  (mesh) =>
    mesh.edit("Node", "n1", (node) => void node.status.conditions.push({ type, status }));
const hooks =
  (configuration: string, change: (webhook: Loose) => void, kind = "MutatingWebhookConfiguration"): Cause =>
  (mesh) =>
    mesh.edit(kind, configuration, ({ webhooks }) => (webhooks as Loose[]).forEach(change));
const crd = (name: string): string => `${name}.networking.istio.io`;

/** By name of the check. A contract test holds this table to the registry. */
export const CAUSES: Readonly<Record<string, Cause>> = {
  // cluster
  "api-reachable": (mesh) => {
    mesh.broken = true;
  },
  "kubernetes-version": (mesh) => {
    mesh.gitVersion = "v1.27.4";
  },
  "kubernetes-tested": (mesh) => {
    mesh.gitVersion = "v1.99.0";
  },
  "kubernetes-apis": (mesh) => {
    mesh.unserved = ["EndpointSlice"];
  },
  "aggregated-apis": (mesh) =>
    mesh.edit("APIService", "v1.apps", ({ status }) => (status.conditions[0].status = "False")),
  "clock-skew": (mesh) => {
    mesh.time = new Date(NOW.getTime() - 600_000);
  },
  "node-clocks": (mesh) =>
    mesh.edit("Lease", "kube-node-lease/n1", ({ spec }) => (spec.renewTime = later(1).toISOString())),
  "cluster-dns": (mesh) => mesh.edit("EndpointSlice", "kube-system/kube-dns-x", (slice) => (slice.endpoints = null)),
  "kubelet-skew": nodeInfo({ kubeletVersion: "v1.30.2" }),
  // permissions
  permissions: (mesh) => {
    mesh.forbidden = ["clusterroles"];
  },
  // nodes
  nodes: (mesh) => {
    for (const name of ["n1", "n2"]) mesh.edit("Node", name, ({ status }) => (status.conditions[0].status = "Unknown"));
  },
  "node-taints": (mesh) => {
    for (const name of ["n1", "n2"])
      mesh.edit("Node", name, ({ spec }) => (spec.taints = [{ key: "a", effect: "NoSchedule" }]));
  },
  "node-architecture": nodeInfo({ architecture: "s390x" }),
  "node-system": nodeInfo({ operatingSystem: "windows" }),
  "node-kernel": nodeInfo({ kernelVersion: "3.10.0-1160.el7" }),
  "node-runtime": nodeInfo({ containerRuntimeVersion: "containerd://1.4.3" }),
  "node-pressure": condition("DiskPressure"),
  "node-network": condition("NetworkUnavailable"),
  "node-interception": (mesh) =>
    mesh.edit("Node", "n1", ({ metadata }) => (metadata.labels["meshctl.io/interception"] = "none")),
  // images
  "images-on-nodes": (mesh) => {
    for (const name of ["n1", "n2"]) mesh.edit("Node", name, ({ status }) => status.images.pop());
  },
  "images-on-every-node": (mesh) => mesh.edit("Node", "n2", ({ status }) => status.images.shift()),
  // capacity
  "capacity-cpu": (mesh) => {
    for (const name of ["n1", "n2"]) mesh.edit("Node", name, ({ status }) => (status.allocatable.cpu = "10m"));
  },
  "capacity-memory": (mesh) => {
    for (const name of ["n1", "n2"]) mesh.edit("Node", name, ({ status }) => (status.allocatable.memory = "64Mi"));
  },
  "capacity-pods": (mesh) => {
    for (const name of ["n1", "n2"]) mesh.edit("Node", name, ({ status }) => (status.allocatable.pods = "1"));
  },
  quota: (mesh) => mesh.edit("ResourceQuota", `${ISTIO}/all`, ({ status }) => (status.hard["requests.cpu"] = "50m")),
  "limit-range": (mesh) =>
    mesh.edit(
      "LimitRange",
      `${ISTIO}/all`,
      ({ spec }) => (spec.limits = [{ type: "Container", min: { memory: "1Gi" } }]),
    ),
  "quota-injected": (mesh) => mesh.edit("ResourceQuota", "shop/all", ({ status }) => (status.used.pods = "50")),
  "limit-range-injected": (mesh) =>
    mesh.edit("LimitRange", "shop/all", ({ spec }) => (spec.limits[0].max.memory = "512Mi")),
  // admission
  "pod-security": (mesh) =>
    mesh.set(namespace("shop", { "istio-injection": "enabled", "pod-security.kubernetes.io/enforce": "baseline" })),
  "system-namespaces": (mesh) => mesh.set(namespace("kube-system", { "istio-injection": "enabled" })),
  // webhooks
  "injection-webhooks": (mesh) =>
    mesh.set(hook("foreign", { name: "namespace.sidecar-injector.istio.io", failurePolicy: "Ignore" })),
  "injection-overlap": (mesh) =>
    mesh.set(
      hook("second", {
        name: "namespace.sidecar-injector.istio.io",
        rules: PODS,
        failurePolicy: "Ignore",
        namespaceSelector: { matchLabels: { "istio-injection": "enabled" } },
      }),
    ),
  "webhook-timeout": (mesh) => mesh.set(hook("slow", { name: "slow.example.org", rules: PODS, timeoutSeconds: 30 })),
  "webhook-kube-system": hooks(INJECTOR, (webhook) => {
    delete webhook.namespaceSelector;
    delete webhook.objectSelector;
  }),
  "injector-present": (mesh) => {
    mesh.remove("MutatingWebhookConfiguration", INJECTOR);
    mesh.remove("MutatingWebhookConfiguration", "istio-revision-tag-prod");
  },
  "injector-failure-policy": hooks(INJECTOR, (webhook) => (webhook.failurePolicy = "Ignore")),
  "injector-operations": hooks(INJECTOR, (webhook) => (webhook.rules[0].operations = ["UPDATE"])),
  "validator-present": (mesh) => mesh.remove("ValidatingWebhookConfiguration", VALIDATOR),
  "validator-groups": hooks(
    VALIDATOR,
    (webhook) => (webhook.rules[0].apiGroups = ["networking.istio.io"]),
    "ValidatingWebhookConfiguration",
  ),
  "validator-failure-policy": hooks(
    VALIDATOR,
    (webhook) => (webhook.failurePolicy = "Ignore"),
    "ValidatingWebhookConfiguration",
  ),
  "other-meshes": (mesh) =>
    mesh.set(hook("linkerd-proxy-injector", { name: "linkerd-proxy-injector.linkerd.io", failurePolicy: "Ignore" })),
  "tag-targets": hooks("istio-revision-tag-prod", (webhook) => (webhook.clientConfig.service.name = "istiod-1-0")),
  "webhooks-reachable": (mesh) =>
    mesh.set(hook("left-over", { name: "a.example.org", failurePolicy: "Fail", clientConfig: SERVICE })),
  "webhook-ports": hooks(INJECTOR, (webhook) => (webhook.clientConfig.service.port = 9443)),
  "webhook-endpoints": (mesh) => {
    mesh.set(service("x", "policy"));
    mesh.set(hook("policy", { name: "a.example.org", clientConfig: { service: { name: "policy", namespace: "x" } } }));
  },
  "webhook-ca-bundles": (mesh) =>
    mesh.set(
      hook("foreign", {
        name: "a.example.org",
        failurePolicy: "Ignore",
        clientConfig: { caBundle: base64("no certificate") },
      }),
    ),
  "webhook-ca-expiry": async (mesh) => {
    const { certificate } = await createRoot("x", { notBefore: later(-10), notAfter: later(-1) });
    mesh.set(
      hook("foreign", {
        name: "a.example.org",
        failurePolicy: "Ignore",
        clientConfig: { caBundle: base64(certificate) },
      }),
    );
  },
  "webhook-ca-present": hooks(INJECTOR, (webhook) => delete webhook.clientConfig.caBundle),
  "webhook-ca-match": async (mesh) => {
    const { certificate } = await root();
    await hooks(INJECTOR, (webhook) => (webhook.clientConfig.caBundle = base64(certificate)))(mesh);
  },
  // CRDs
  crds: (mesh) => mesh.edit("CustomResourceDefinition", crd("gateways"), ({ metadata }) => delete metadata.labels),
  "crds-terminating": (mesh) =>
    mesh.edit(
      "CustomResourceDefinition",
      crd("gateways"),
      ({ metadata }) => (metadata.deletionTimestamp = NOW.toISOString()),
    ),
  "crd-stored-versions": (mesh) =>
    mesh.edit(
      "CustomResourceDefinition",
      crd("gateways"),
      ({ status }) => (status.storedVersions = ["v1alpha2", "v1"]),
    ),
  "crd-conversion": (mesh) =>
    mesh.edit("CustomResourceDefinition", crd("gateways"), ({ spec }) => (spec.conversion = { strategy: "Webhook" })),
  "crd-names": (mesh) =>
    mesh.edit("CustomResourceDefinition", crd("gateways"), ({ status }) => (status.conditions[1].status = "False")),
  "crds-present": (mesh) => mesh.remove("CustomResourceDefinition", crd("sidecars")),
  "crds-established": (mesh) =>
    mesh.edit("CustomResourceDefinition", crd("gateways"), ({ status }) => (status.conditions[0].status = "False")),
  "crd-versions": (mesh) =>
    mesh.edit("CustomResourceDefinition", crd("gateways"), ({ spec }) => {
      spec.versions = spec.versions.filter(({ name }: { name: string }) => name !== "v1");
    }),
  "crds-current": (mesh) =>
    mesh.edit("CustomResourceDefinition", crd("gateways"), ({ metadata }) => (metadata.labels[OLD] = "0.0.1")),
  // Gateway API
  "gateway-api": (mesh) => mesh.remove("CustomResourceDefinition", "gatewayclasses.gateway.networking.k8s.io"),
  "gateway-api-v1": (mesh) =>
    mesh.edit(
      "CustomResourceDefinition",
      "httproutes.gateway.networking.k8s.io",
      ({ spec }) => (spec.versions[0].served = false),
    ),
  "gateway-api-v1beta1": (mesh) =>
    mesh.edit(
      "CustomResourceDefinition",
      "referencegrants.gateway.networking.k8s.io",
      ({ spec }) => (spec.versions[0].name = "v1alpha2"),
    ),
  "gateway-api-version": (mesh) => {
    for (const object of mesh.objects.values())
      if (object.metadata.annotations?.["gateway.networking.k8s.io/bundle-version"] !== undefined)
        object.metadata.annotations["gateway.networking.k8s.io/bundle-version"] = "v0.8.1";
  },
  "gateway-api-bundle": (mesh) =>
    mesh.edit("CustomResourceDefinition", "gateways.gateway.networking.k8s.io", ({ metadata }) => {
      metadata.annotations["gateway.networking.k8s.io/channel"] = "experimental";
    }),
  "gateway-class-owner": (mesh) =>
    mesh.edit("ApiGatewayClass", "istio", ({ spec }) => (spec.controllerName = "example.org/other")),
  "gateway-classes": (mesh) => mesh.edit("ApiGateway", "shop/edge", ({ spec }) => (spec.gatewayClassName = "istoi")),
  "gateway-classes-accepted": (mesh) =>
    mesh.edit("ApiGatewayClass", "istio", ({ status }) => (status.conditions[0].status = "False")),
  // earlier installations
  namespace: (mesh) =>
    mesh.edit("Namespace", ISTIO, ({ metadata }) => (metadata.deletionTimestamp = NOW.toISOString())),
  "other-control-plane": (mesh) => mesh.set(deployment("mesh", "istiod", { app: "istiod" })),
  "istio-operator": (mesh) => mesh.set(deployment("istio-operator", "istio-operator")),
  "helm-releases": (mesh) =>
    mesh.set({
      apiVersion: "v1",
      kind: "Secret",
      type: "helm.sh/release.v1",
      metadata: { name: "sh.helm.release.v1.istiod.v1", namespace: ISTIO, labels: { owner: "helm", name: "istiod" } },
    }),
  "cni-plugin": (mesh) => mesh.set({ ...deployment("kube-system", "istio-cni-node"), kind: "DaemonSet" }),
  "ambient-proxy": (mesh) => mesh.set({ ...deployment(ISTIO, "ztunnel"), kind: "DaemonSet" }),
  "cluster-roles": (mesh) =>
    mesh.set({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "istiod-clusterrole-old" },
      roleRef: { kind: "ClusterRole", name: "istiod-clusterrole-old" },
      subjects: [{ kind: "ServiceAccount", name: "istiod", namespace: "old" }],
    }),
  "root-configmaps-left": (mesh) => mesh.remove("Deployment", `${ISTIO}/istiod`),
  "ca-secret-left": (mesh) => mesh.remove("Deployment", `${ISTIO}/istiod`),
  "leader-leases": (mesh) => mesh.remove("Deployment", `${ISTIO}/istiod`),
  orphans: (mesh) =>
    mesh.set(
      deployment(ISTIO, "istio-egressgateway", { "app.kubernetes.io/managed-by": "meshctl", "istio.io/rev": "1-0" }),
    ),
  "namespace-revisions": (mesh) => mesh.set(namespace("canary", { "istio.io/rev": "prodd" })),
  "namespace-revisions-left": (mesh) => mesh.set(namespace("canary", { "istio.io/rev": "1-20" })),
  ...RUNNING_CAUSES,
  ...SEVERAL_CLUSTERS_CAUSES,
};
