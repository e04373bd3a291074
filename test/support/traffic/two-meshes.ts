import { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Ca } from "../../../src/pki/ca.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { PORTS } from "./mesh-objects.ts";

// What two meshes with an authority each are made of, beside the workloads of the lab.

/** The Service that is called, at this address. */
export function echo(clusterIP: string): readonly KubeObject[] {
  const spec = {
    clusterIP,
    selector: { app: "echo", version: "v1" },
    ports: [{ name: "http", port: 80, targetPort: PORTS.http }],
  };
  return [{ apiVersion: "v1", kind: "Service", metadata: { name: "echo", namespace: "servers" }, spec } as KubeObject];
}

/** Its pod in the mesh that serves it. */
export function endpointSlice(address: string): KubeObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "echo-1", namespace: "servers", labels: { "kubernetes.io/service-name": "echo" } },
    addressType: "IPv4",
    ports: [{ name: "http", port: PORTS.http }],
    endpoints: [
      {
        addresses: [address],
        conditions: { ready: true },
        targetRef: { kind: "Pod", name: "v1", namespace: "servers" },
      },
    ],
  } as KubeObject;
}

/** A handshake for each call: who was let in before stays connected. */
export function freshConnections(): KubeObject {
  const metadata = { name: "echo", namespace: "traffic" };
  const trafficPolicy = { connectionPool: { http: { maxRequestsPerConnection: 1 } } };
  const spec = { host: "echo.servers.svc.cluster.local", trafficPolicy };
  return { apiVersion: "networking.istio.io/v1", kind: "DestinationRule", metadata, spec } as KubeObject;
}

/** Mutual TLS everywhere. */
export function strict(): KubeObject {
  const metadata = { name: "default", namespace: "istio-system" };
  return {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata,
    spec: { mtls: { mode: "STRICT" } },
  } as KubeObject;
}

/** A SPIFFE bundle of roots, as a trust domain publishes it. */
export function bundleOf(...roots: readonly Ca[]): string {
  const x5c = (ca: Ca) => [new X509Certificate(ca.certificate).raw.toString("base64")];
  const keys = roots.map((ca) => ({ use: "x509-svid", kty: "EC", x5c: x5c(ca) }));
  return JSON.stringify({ spiffe_sequence: 1, keys: [{ use: "jwt-svid", kty: "EC", kid: "a" }, ...keys] });
}

/** Bytes of one to the other, both ways. */
export function pump(one: Duplex, other: Duplex): void {
  const end = (): void => {
    one.destroy();
    other.destroy();
  };
  for (const stream of [one, other]) stream.on("error", end).on("close", end);
  one.pipe(other).pipe(one);
}
