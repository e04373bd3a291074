import { expect, test } from "vitest";
import { explicitPort } from "../../src/base/explicit-port.ts";
import { explicitServiceAddress, isExplicitAddress } from "../../src/model/explicit-bind.ts";
import { fieldsWithoutEffect } from "../../src/model/effects.ts";
import { bySpecificity, hostMatches, narrowerHost, parseServiceHost, resolveHost } from "../../src/model/host.ts";
import { meshConfigOf, readMeshConfig } from "../../src/model/mesh-config.ts";
import { selectProtocol } from "../../src/model/protocol.ts";
import { visibleTo } from "../../src/model/visibility.ts";
import { canonicalNames, peerLabels, workloadOwner } from "../../src/model/workload.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { worldOf } from "../../src/resources/world-store.ts";

test.each([
  [{ port: 80, name: "http" }, "http"],
  [{ port: 80, name: "http2-x" }, "http2"],
  [{ port: 80, name: "HTTP-x" }, "http"],
  [{ port: 80, name: "grpc-web-x" }, "grpc"],
  [{ port: 80, name: "redis" }, "tcp"],
  [{ port: 80, name: "httpx" }, "auto"],
  [{ port: 80, name: "tcp", appProtocol: "kubernetes.io/h2c" }, "http2"],
  [{ port: 80, name: "http", appProtocol: "example.com/own" }, "http"],
  [{ port: 3306 }, "tcp"],
  [{ port: 3306, name: "http" }, "http"],
  [{ port: 53, protocol: "UDP", name: "http" }, "udp"],
  [{ port: 9000, appProtocol: "TLS" }, "tls"],
] as const)("protocol of %o is %s", (facts, protocol) => expect(selectProtocol(facts)).toBe(protocol));

test("hosts: short names get a namespace, names with dots stand, wildcards cover what is below them", () => {
  expect(resolveHost("web", "shop")).toBe("web.shop.svc.cluster.local");
  expect(resolveHost("web.shop", "other")).toBe("web.shop");
  expect(resolveHost("*", "shop")).toBe("*");
  expect(parseServiceHost("web.shop.svc.cluster.local")).toEqual({ name: "web", namespace: "shop" });
  expect([
    parseServiceHost("a.b.c.svc.cluster.local"),
    parseServiceHost("*.shop.svc.cluster.local"),
    parseServiceHost("x.test"),
  ]).toEqual([undefined, undefined, undefined]);
  expect(hostMatches("*.x.test", "a.x.test")).toBe(true);
  expect(hostMatches("*.x.test", "*.a.x.test")).toBe(true);
  expect(hostMatches("*.x.test", "x.test")).toBe(false);
  expect(hostMatches("a.x.test", "*.x.test")).toBe(false);
  expect([narrowerHost("*", "a.test"), narrowerHost("a.test", "*.test"), narrowerHost("a.test", "b.test")]).toEqual([
    "a.test",
    "a.test",
    undefined,
  ]);
  expect(["*", "*.test", "*.a.test", "b.a.test"].toSorted(bySpecificity)).toEqual([
    "b.a.test",
    "*.a.test",
    "*.test",
    "*",
  ]);
});

test.each([
  [undefined, ["*"], true],
  [[], ["."], false],
  [["."], ["*"], false],
  [["other"], ["."], true],
  [["~"], ["*"], false],
  [["*"], ["."], true],
])("exportTo %o with default %o is seen from elsewhere: %s", (exportTo, fallback, seen) => {
  expect(visibleTo(exportTo, "shop", "other", fallback)).toBe(seen);
});

test("the plan of explicit addresses", () => {
  const bind = { prefix: "127.3", appAddress: "127.3.0.2", httpProxyPort: 15080 };
  expect(explicitServiceAddress(bind, "10.96.4.7")).toBe("127.3.4.7");
  expect([explicitServiceAddress(bind, "10.96.0.1"), explicitServiceAddress(bind, "fd00::1")]).toEqual([
    undefined,
    undefined,
  ]);
  expect([explicitPort(80), explicitPort(1023), explicitPort(1024)]).toEqual([20080, 21023, 1024]);
  expect(["127.3.0.1", "127.0.0.1", "127.3.0.2", "127.3.1.1", "10.0.0.1"].map(isExplicitAddress)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});

test("mesh configuration: defaults, what is written, and a text that is none", () => {
  const none = readMeshConfig(worldOf([]), "istio-system");
  expect(none).toMatchObject({
    trustDomain: "cluster.local",
    outboundTrafficPolicy: "ALLOW_ANY",
    enableAutoMtls: true,
    connectTimeoutMs: 10_000,
    error: undefined,
  });
  const mesh =
    "trustDomain: prod\ntrustDomainAliases: [old]\nconnectTimeout: 1s\nenableAutoMtls: false\ndefaultServiceExportTo: ['.']\ndefaultHttpRetryPolicy: { attempts: 5, retryOn: 5xx }\n";
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio", namespace: "root" }, data: { mesh } };
  expect(readMeshConfig(worldOf([map]), "root")).toMatchObject({
    trustDomain: "prod",
    trustDomainAliases: ["old"],
    connectTimeoutMs: 1000,
    enableAutoMtls: false,
    defaultServiceExportTo: ["."],
    defaultRetries: { attempts: 5, retryOn: "5xx" },
  });
  const broken = meshConfigOf("a: [", "root");
  expect(broken.error).toBeDefined();
  expect(broken.trustDomain).toBe("cluster.local");
});

test("a workload is what the user calls it", () => {
  const owner = (kind: string, name: string) => [{ apiVersion: "apps/v1", kind, name, uid: "u", controller: true }];
  expect(
    workloadOwner({ labels: { "pod-template-hash": "5d4" }, ownerReferences: owner("ReplicaSet", "web-5d4") }),
  ).toMatchObject({ kind: "Deployment", name: "web" });
  expect(workloadOwner({ ownerReferences: owner("ReplicaSet", "web-5d4") })).toMatchObject({
    kind: "ReplicaSet",
    name: "web-5d4",
  });
  expect(workloadOwner({ ownerReferences: owner("Job", "backup-28912345") })).toMatchObject({
    kind: "CronJob",
    name: "backup",
  });
  expect(workloadOwner({ name: "bare" })).toBeUndefined();
  expect(canonicalNames({ name: "bare", labels: { app: "a", "app.kubernetes.io/name": "b", version: "v2" } })).toEqual({
    workload: "bare",
    canonical: "b",
    revision: "v2",
  });
  expect(canonicalNames({ generateName: "web-5d4-", labels: { "service.istio.io/canonical-name": "c" } })).toEqual({
    workload: "web-5d4",
    canonical: "c",
    revision: "latest",
  });
  expect(peerLabels({ metadata: { name: "p", namespace: "shop" } }, "c1")).toEqual({
    workload: "p",
    ns: "shop",
    canonical: "p",
    revision: "latest",
    app: "unknown",
    version: "unknown",
    cluster: "c1",
  });
});

const object = (kind: string, spec: unknown, group = "networking.istio.io"): KubeObject => ({
  apiVersion: `${group}/v1`,
  kind,
  metadata: { name: "x" },
  spec,
});

test("fields that are accepted but have no effect are named, those that have are not", () => {
  expect(
    fieldsWithoutEffect(
      object("VirtualService", {
        hosts: ["a"],
        http: [
          {
            match: [{ uri: { exact: "/" }, headers: { a: {}, "@request.auth.claims.x": {} }, statPrefix: "s" }],
            route: [{ destination: { host: "a" }, weight: 1 }],
          },
          { fault: { delay: { exponentialDelay: "1s" } }, redirect: { uri: "/" }, retries: { attempts: 1 } },
        ],
      }),
    ).map((path) => path.join(".")),
  ).toEqual(["spec.http.1.fault.delay.exponentialDelay"]);
  expect(
    fieldsWithoutEffect(
      object("DestinationRule", {
        host: "a",
        trafficPolicy: {
          outlierDetection: { consecutiveErrors: 5 },
          portLevelSettings: [{ port: { number: 1 }, tunnel: {} }],
        },
      }),
    ).map((path) => path.join(".")),
  ).toEqual(["spec.trafficPolicy.outlierDetection.consecutiveErrors", "spec.trafficPolicy.portLevelSettings.0.tunnel"]);
  expect(
    fieldsWithoutEffect(
      object("ServiceEntry", {
        addresses: ["10.0.0.1", "10.0.0.0/8"],
        resolution: "DYNAMIC_DNS",
        endpoints: [{ address: "unix:///run/app.sock", network: "other" }],
      }),
    ),
  ).toEqual([]);
  expect(fieldsWithoutEffect(object("Gateway", { servers: [{ tls: { mode: "PASSTHROUGH" } }] }))).toEqual([]);
  expect(fieldsWithoutEffect(object("AuthorizationPolicy", { action: "DENY" }, "security.istio.io"))).toEqual([]);
  expect(
    fieldsWithoutEffect(
      object("PeerAuthentication", { portLevelMtls: { "80": { mode: "STRICT" } } }, "security.istio.io"),
    ),
  ).toEqual([]);
  expect(
    fieldsWithoutEffect({ apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: { anything: 1 } }),
  ).toEqual([]);
});
