// The mesh of the benchmarks: 1,000 services of 10 endpoints in 50 namespaces.
import { peerOf } from "../src/model/workload.ts";
import type { Proxy } from "../src/ir/proxy.ts";
import type { KubeObject } from "../src/resources/object.ts";

export const NAMESPACES = 50;
export const SERVICES = 1000;
const ENDPOINTS = 10;

/** Service 0 is in ns-0, 1 in ns-1, and round again. */
export const namespaceOf = (index: number): string => `ns-${index % NAMESPACES}`;
const addressOf = (service: number, endpoint: number): string => `10.${service >> 8}.${service & 255}.${endpoint + 1}`;

/** One port, every fifth service TCP. */
function service(index: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `svc-${index}`, namespace: namespaceOf(index) },
    spec: {
      clusterIP: `10.96.${index >> 8}.${index & 255}`,
      selector: { app: `svc-${index}` },
      ports: [{ name: index % 5 === 0 ? "tcp" : "http", port: 8000 + (index % 5) }],
    },
  };
}

function pod(index: number, endpoint: number): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `svc-${index}-${endpoint}`,
      namespace: namespaceOf(index),
      labels: {
        app: `svc-${index}`,
        version: "v1",
        "pod-template-hash": "5f6",
        "security.istio.io/tlsMode": "istio",
      },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: `svc-${index}-5f6`, uid: `r-${index}`, controller: true },
      ],
    },
    spec: { serviceAccountName: `svc-${index}`, containers: [{ name: "app" }] },
    status: { podIP: addressOf(index, endpoint) },
  };
}

/** The service with so many endpoints. */
export function slice(index: number, endpoints: number): KubeObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `svc-${index}-x`,
      namespace: namespaceOf(index),
      labels: { "kubernetes.io/service-name": `svc-${index}` },
    },
    addressType: "IPv4",
    ports: [{ name: index % 5 === 0 ? "tcp" : "http", port: 8080 }],
    endpoints: Array.from({ length: endpoints }, (_, endpoint) => ({
      addresses: [addressOf(index, endpoint)],
      targetRef: { kind: "Pod", name: `svc-${index}-${endpoint}`, namespace: namespaceOf(index) },
    })),
  };
}

/** Shares the traffic of service 1 with service 51. */
export function virtualService(weight: number): KubeObject {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "canary", namespace: namespaceOf(1) },
    spec: {
      hosts: ["svc-1"],
      http: [
        {
          route: [
            { destination: { host: "svc-1" }, weight },
            { destination: { host: "svc-51" }, weight: 100 - weight },
          ],
        },
      ],
    },
  };
}

/** All of it, 12,000 objects, or the first services of it. */
export function meshObjects(services = SERVICES): readonly KubeObject[] {
  return Array.from({ length: services }, (_, index) => index).flatMap((index) => [
    service(index),
    slice(index, ENDPOINTS),
    ...Array.from({ length: ENDPOINTS }, (_, endpoint) => pod(index, endpoint)),
  ]);
}

/** The sidecar of a workload that only calls, the number-th of its namespace's network. */
export function callerIn(namespace: string, index = 0): Proxy {
  return {
    id: `sidecar~10.200.0.${index}~web.${namespace}~${namespace}.svc.cluster.local`,
    type: "sidecar",
    addresses: [`10.200.0.${index}`],
    namespace,
    name: "web",
    labels: {},
    serviceAccount: "web",
    clusterId: "Kubernetes",
    dnsDomain: `${namespace}.svc.cluster.local`,
    interception: "REDIRECT",
    bind: undefined,
    peer: peerOf({ workload: "web", ns: namespace }),
  };
}
