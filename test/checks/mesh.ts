// oxlint-disable typescript/no-unsafe-member-access, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-return, typescript/no-unsafe-argument -- causes reach into objects of any kind
import type { CheckContext, Probes } from "../../src/checks/facts.ts";
import { messageOf } from "../../src/diagnostics/codes.ts";
import { VERSION } from "../../src/gen/version.ts";
import { namespaceObject, render } from "../../src/install/render.ts";
import { settingsOf } from "../../src/install/settings.ts";
import { issueServing } from "../../src/pki/ca.ts";
import type { Cluster } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { validateObject } from "../../src/validation/index.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { finish } from "./finish.ts";
import { base64, later, type Loose, type Mesh, NOW, root, service } from "./parts.ts";
import { withAnotherCluster } from "./several-clusters.ts";

export { base64, type Cause, later, type Loose, type Mesh, NOW, root, service } from "./parts.ts";

const authority = root();
const settings = settingsOf("default", []);
const rendered = [namespaceObject(settings), ...render(settings).flatMap(({ objects }) => objects)];

/** Makes one; the next is not changed by what happens to it. */
export async function healthyMesh(): Promise<Mesh> {
  const ca = await authority;
  const serving = await issueServing(
    ca,
    { dns: ["istiod.istio-system.svc"] },
    { notBefore: later(-1), notAfter: later(90) },
  );
  const objects = new Map<string, Loose>();
  const keyOf = (kind: string, name: string): string => `${kind} ${name}`;
  const mesh: Mesh = {
    objects,
    proxies: ["shop/web", "istio-system/istio-ingressgateway-1"].map((text) => {
      const [namespace = "", name = ""] = text.split("/");
      return { name, namespace, version: VERSION, status: "SYNCED", refusals: [] };
    }),
    findings: [],
    totals: new Map([["pilot_xds", 2]]),
    serving: [
      {
        pod: "istio-system/istiod-1",
        notAfter: later(90),
        dnsNames: ["istiod.istio-system.svc"],
        uris: [],
        pem: serving.certificate,
      },
    ],
    workloads: [{ pod: "shop/web", notAfter: later(1), dnsNames: [], uris: ["spiffe://cluster.local/ns/shop/sa/web"] }],
    shown: {},
    forbidden: [],
    unserved: [],
    gitVersion: "v1.36.3",
    time: NOW,
    context: {},
    broken: false,
    set: (object) => {
      const { kind, metadata } = object as KubeObject;
      const name = metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
      objects.set(keyOf(object.apiVersion.startsWith("gateway.") ? `Api${kind}` : kind, name), object);
    },
    edit: (kind, name, change) => {
      const object: unknown = objects.get(keyOf(kind, name));
      if (object === undefined) throw new Error(`no ${kind} ${name}`);
      change(object);
    },
    remove: (kind, name) => {
      if (!objects.delete(keyOf(kind, name))) throw new Error(`no ${kind} ${name}`);
    },
  };
  for (const object of [...structuredClone(rendered), ...surroundings(), ...running(ca)]) mesh.set(object);
  finish(mesh, ca.certificate);
  await withAnotherCluster(mesh, ca);
  return mesh;
}

export function node(name: string, info: object = {}): Loose {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: {} },
    spec: {},
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      allocatable: { cpu: "4", memory: "8Gi", pods: "110" },
      images: ["meshd", "proxy"].map((image) => ({ names: [`docker.io/meshctl/${image}:${VERSION}`] })),
      nodeInfo: {
        architecture: "amd64",
        operatingSystem: "linux",
        kernelVersion: "6.8.0-45-generic",
        kubeletVersion: "v1.35.1",
        containerRuntimeVersion: "containerd://2.0.0",
        ...info,
      },
    },
  };
}

export function namespace(name: string, labels: Record<string, string> = {}): Loose {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}

export function slice(ns: string, name: string): Loose {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-x`, namespace: ns, labels: { "kubernetes.io/service-name": name } },
    endpoints: [{ conditions: { ready: true } }],
  };
}

export function hook(name: string, webhook: object, kind = "MutatingWebhookConfiguration"): Loose {
  return { apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name, labels: {} }, webhooks: [webhook] };
}

export function deployment(ns: string, name: string, labels: object = {}): Loose {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: ns, labels },
    spec: { replicas: 1, template: { spec: { containers: [] } } },
    status: { availableReplicas: 1 },
  };
}

export function pod(ns: string, name: string, labels: object, container: object): Loose {
  const { name: containerName } = container as { name: string };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: ns, labels, annotations: {} },
    spec: { nodeName: "n1", containers: [structuredClone(container)] },
    status: {
      phase: "Running",
      conditions: [],
      containerStatuses: [{ name: containerName, ready: true, restartCount: 0 }],
    },
  };
}

function surroundings(): Loose[] {
  const lease = (name: string): Loose => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, namespace: "kube-node-lease" },
    spec: { renewTime: NOW.toISOString() },
  });
  const group = "gateway.networking.k8s.io";
  const apiCrd = (plural: string, versions: string[]): Loose => ({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      annotations: { [`${group}/bundle-version`]: "v1.3.0", [`${group}/channel`]: "standard" },
    },
    spec: { versions: versions.map((name) => ({ name, served: true })) },
  });
  return [
    node("n1"),
    node("n2"),
    lease("n1"),
    lease("n2"),
    namespace("default"),
    namespace("kube-system"),
    namespace("shop", { "istio-injection": "enabled" }),
    namespace("canary", { "istio.io/rev": "prod" }),
    service("kube-system", "kube-dns", {}, { "k8s-app": "kube-dns" }),
    slice("kube-system", "kube-dns"),
    ...["gatewayclasses", "gateways", "httproutes", "grpcroutes"].map((plural) => apiCrd(plural, ["v1", "v1beta1"])),
    apiCrd("referencegrants", ["v1beta1"]),
    {
      apiVersion: `${group}/v1`,
      kind: "GatewayClass",
      metadata: { name: "istio" },
      spec: { controllerName: "istio.io/gateway-controller" },
      status: { conditions: [{ type: "Accepted", status: "True" }] },
    },
    {
      apiVersion: `${group}/v1`,
      kind: "Gateway",
      metadata: { name: "edge", namespace: "shop" },
      spec: { gatewayClassName: "istio" },
    },
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1.apps" },
      status: { conditions: [{ type: "Available", status: "True" }] },
    },
    {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "all", namespace: "istio-system" },
      status: { hard: { pods: "50", "requests.cpu": "10" }, used: { pods: "3" } },
    },
    {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "all", namespace: "istio-system" },
      spec: { limits: [{ type: "Container", max: { memory: "4Gi" } }] },
    },
    {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "all", namespace: "shop" },
      status: { hard: { pods: "50" }, used: { pods: "3" } },
    },
    {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "all", namespace: "shop" },
      spec: { limits: [{ type: "Container", max: { memory: "4Gi" } }] },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "istiod", namespace: "istio-system" },
      status: { disruptionsAllowed: 1 },
    },
    {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "istiod", namespace: "istio-system" },
      status: { conditions: [{ type: "ScalingActive", status: "True" }] },
    },
  ];
}

function running(ca: { readonly certificate: string; readonly key: { pem(): string } }): Loose[] {
  const plane = { app: "istiod", istio: "pilot", "istio.io/rev": "default" };
  const discovery = { name: "discovery", image: `x/meshd:${VERSION}` };
  const proxy = { name: "istio-proxy", image: `x/proxy:${VERSION}` };
  const status = JSON.stringify({ revision: "default" });
  const gatewayLabels = { app: "istio-ingressgateway", istio: "ingressgateway" };
  const [web, gateway] = [
    pod("shop", "web", { app: "web" }, proxy),
    pod("istio-system", "istio-ingressgateway-1", gatewayLabels, proxy),
  ];
  for (const each of [web, gateway]) each.metadata.annotations["sidecar.istio.io/status"] = status;
  web.status.initContainerStatuses = [{ name: "istio-init", state: { terminated: { exitCode: 0 } } }];
  return [
    pod("istio-system", "istiod-1", plane, discovery),
    { ...pod("istio-system", "istiod-2", plane, discovery), spec: { nodeName: "n2", containers: [{ ...discovery }] } },
    web,
    gateway,
    slice("istio-system", "istiod"),
    slice("istio-system", "istio-ingressgateway"),
    {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "istio-leader", namespace: "istio-system" },
      spec: { holderIdentity: "istiod-1", renewTime: NOW.toISOString(), leaseDurationSeconds: 10 },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "istio-ca-secret", namespace: "istio-system" },
      data: { "ca-cert.pem": base64(ca.certificate), "ca-key.pem": base64(ca.key.pem()) },
    },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "shop-tls", namespace: "istio-system" },
      data: { "tls.crt": base64(ca.certificate) },
    },
    ...["default", "istio-system", "shop", "canary"].map((ns) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio-ca-root-cert", namespace: ns },
      data: { "root-cert.pem": ca.certificate },
    })),
    {
      apiVersion: "networking.istio.io/v1",
      kind: "Gateway",
      metadata: { name: "shop", namespace: "shop", managedFields: [{ apiVersion: "networking.istio.io/v1" }] },
      spec: {
        selector: { istio: "ingressgateway" },
        servers: [{ port: { number: 443 }, tls: { credentialName: "shop-tls" } }],
      },
    },
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: {
        name: "istio-revision-tag-prod",
        labels: { "istio.io/tag": "prod", "istio.io/rev": "default", "app.kubernetes.io/managed-by": "meshctl" },
      },
      webhooks: [
        {
          name: "rev.namespace.sidecar-injector.istio.io",
          failurePolicy: "Fail",
          rules: [{ apiGroups: [""], resources: ["pods"], operations: ["CREATE"] }],
          clientConfig: { service: { name: "istiod", namespace: "istio-system", port: 443 } },
          namespaceSelector: {
            matchExpressions: [
              { key: "istio.io/rev", operator: "In", values: ["prod"] },
              { key: "istio-injection", operator: "DoesNotExist" },
            ],
          },
        },
      ],
    },
  ];
}

/** The cluster and the context of checks that a mesh stands for. */
export function clusterOf(mesh: Mesh): { readonly cluster: Cluster; readonly context: CheckContext } {
  const minor = /^v1\.(\d+)/.exec(mesh.gitVersion)?.[1] ?? "0";
  const fake = fakeCluster({
    objects: [...mesh.objects.values()] as KubeObject[],
    forbidden: mesh.forbidden,
    unserved: mesh.unserved,
  });
  const cluster: Cluster = {
    ...fake,
    version: () => Promise.resolve({ gitVersion: mesh.gitVersion, major: "1", minor }),
    serverTime: () => Promise.resolve(mesh.time),
  };
  const probes: Probes = {
    proxies: () => Promise.resolve(mesh.proxies),
    findings: () => Promise.resolve(mesh.findings),
    metrics: () => Promise.resolve([{ pod: "istiod-1", totals: mesh.totals }]),
    serving: () => Promise.resolve(mesh.serving),
    workloads: () => Promise.resolve(mesh.workloads),
    meshConfig: (object) => Promise.resolve(validateObject(object)),
    words: messageOf,
    shownAt: () => Promise.resolve(mesh.shown),
  };
  return {
    cluster,
    context: { istioNamespace: "istio-system", version: VERSION, now: NOW, rendered, probes, ...mesh.context },
  };
}
