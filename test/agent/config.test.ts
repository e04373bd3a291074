import { expect, test } from "vitest";
import { type ConfigInput, readConfig } from "../../src/agent/config.ts";

const ENV = {
  POD_NAME: "web-7d4b9-x2x",
  POD_NAMESPACE: "shop",
  INSTANCE_IP: "10.244.0.9",
  SERVICE_ACCOUNT: "web",
  CA_ADDR: "istiod.istio-system.svc:15012",
} as const;

function read(change: Readonly<Record<string, string | undefined>> = {}, more: Partial<ConfigInput> = {}) {
  const files: Readonly<Record<string, string>> = {
    "./etc/istio/pod/labels": 'app="web"\npod-template-hash="7d4b9"\nversion="v1"',
    "./etc/istio/pod/annotations": 'note="a \\"quoted\\" = word"',
  };
  return readConfig({
    args: ["sidecar", "--domain", "shop.svc.cluster.local"],
    env: { ...ENV, ...change },
    readFile: (path) => files[path],
    version: "0.1.0",
    ...more,
  });
}

test("what injection writes becomes node, addresses and metadata", () => {
  const config = read({
    ISTIO_META_WORKLOAD_NAME: "web",
    ISTIO_META_CLUSTER_ID: "Kubernetes",
    ISTIO_METAJSON_LABELS: '{"extra":"1"}',
    ISTIO_METAJSON_MORE: '{"NETWORK":"n1"}',
    PROXY_CONFIG: '{"terminationDrainDuration":"2s","concurrency":3,"proxyMetadata":{}}',
  });
  expect(config).toMatchObject({
    nodeId: "sidecar~10.244.0.9~web-7d4b9-x2x.shop~shop.svc.cluster.local",
    nodeCluster: "web.shop",
    discovery: { host: "istiod.istio-system.svc", port: 15012 },
    ca: { host: "istiod.istio-system.svc", port: 15012 },
    serverName: "istiod.istio-system.svc",
    addresses: { admin: "127.0.0.1", listen: "0.0.0.0", agent: "127.0.0.1", explicit: false },
    ports: { admin: 15000, status: 15020, readiness: 15021, prometheus: 15090 },
    concurrency: 3,
    appAddress: "10.244.0.9",
    drain: { termination: 2000, minimum: 5000, exitOnZeroConnections: false, envoyDrainSeconds: 45 },
    secret: { ttl: 86_400_000, graceRatio: 0.5, graceJitter: 0.01 },
  });
  expect(config.metadata).toEqual({
    NAME: "web-7d4b9-x2x",
    NAMESPACE: "shop",
    SERVICE_ACCOUNT: "web",
    INSTANCE_IPS: "10.244.0.9",
    WORKLOAD_NAME: "web",
    CLUSTER_ID: "Kubernetes",
    NETWORK: "n1",
    LABELS: { app: "web", version: "v1", extra: "1" },
    ANNOTATIONS: { note: 'a "quoted" = word' },
    ISTIO_VERSION: "0.1.0",
    PILOT_SAN: ["istiod.istio-system.svc"],
    MESH_AGENT_COUNTS: "true",
    ENVOY_STATUS_PORT: 15021,
    ENVOY_PROMETHEUS_PORT: 15090,
    PROXY_CONFIG: { terminationDrainDuration: "2s", concurrency: 3, proxyMetadata: {} },
  });
});

test("explicit mode binds the proxy's own ports on the pod's mesh address", () => {
  const config = read({
    INSTANCE_IP: "127.3.0.1",
    ISTIO_META_INTERCEPTION_MODE: "NONE",
    ISTIO_META_MESH_BIND: '{"prefix":"127.3","appAddress":"127.3.0.2","httpProxyPort":15080}',
  });
  expect(config.addresses).toEqual({ admin: "127.3.0.1", listen: "127.3.0.1", agent: "127.3.0.1", explicit: true });
  expect(config.appAddress).toBe("127.3.0.2");
  expect(config.metadata["MESH_BIND"]).toBe('{"prefix":"127.3","appAddress":"127.3.0.2","httpProxyPort":15080}');
});

test.each([
  ["IPv6 pods listen on all addresses of both families", { INSTANCE_IP: "fd00::9" }, { addresses: { listen: "::" } }],
  [
    "the discovery address of the proxy configuration wins",
    { PROXY_CONFIG: '{"discoveryAddress":"meshd.ops.svc:443"}' },
    {
      discovery: { host: "meshd.ops.svc", port: 443 },
      serverName: "meshd.ops.svc",
      ca: { host: "istiod.istio-system.svc" },
    },
  ],
  [
    "another CA, such as istio-csr, is asked at its address and verified by its own name",
    {
      CA_ADDR: "cert-manager-istio-csr.cert-manager.svc:443",
      PROXY_CONFIG: '{"discoveryAddress":"istiod.istio-system.svc:15012"}',
      TRUST_DOMAIN: "example.org",
      SERVICE_ACCOUNT: "web",
    },
    {
      ca: { host: "cert-manager-istio-csr.cert-manager.svc", port: 443 },
      caServerName: "cert-manager-istio-csr.cert-manager.svc",
      serverName: "istiod.istio-system.svc",
      identity: { trustDomain: "example.org", serviceAccount: "web" },
    },
  ],
  [
    "an address has no name to verify",
    { CA_ADDR: "[fd00::1]:15012" },
    { discovery: { host: "fd00::1", port: 15012 }, serverName: "istiod.istio-system.svc" },
  ],
  ["workers follow the CPU limit, rounded up", { ISTIO_CPU_LIMIT: "1.5" }, { concurrency: 2 }],
  ["no limit leaves the choice to Envoy", {}, { concurrency: undefined }],
  [
    "a short life for tests",
    { SECRET_TTL: "1m30s", SECRET_GRACE_PERIOD_RATIO: "0.2" },
    { secret: { ttl: 90_000, graceRatio: 0.2 } },
  ],
  [
    "drain until no connection is left",
    { EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true", MINIMUM_DRAIN_DURATION: "10s" },
    { drain: { exitOnZeroConnections: true, minimum: 10_000 } },
  ],
])("%s", (_name, change, expected) => {
  expect(read(change)).toMatchObject(expected);
});

test.each([
  ["POD_NAME is not set", { POD_NAME: undefined }],
  ["POD_NAMESPACE is not set", { POD_NAMESPACE: "" }],
  ["INSTANCE_IP is not set", { INSTANCE_IP: undefined }],
  ['INSTANCE_IP: expected an IP address, got "web"', { INSTANCE_IP: "web" }],
  ['discovery address: expected host:port, got "istiod"', { CA_ADDR: "istiod" }],
  ["PROXY_CONFIG is not JSON", { PROXY_CONFIG: "discoveryAddress: x" }],
  ["PROXY_CONFIG: expected a JSON object, got [1]", { PROXY_CONFIG: "[1]" }],
  ["ISTIO_METAJSON_X is not JSON", { ISTIO_METAJSON_X: "{" }],
  ["PROXY_MARK: expected a number from 1 to 4294967295, got x", { PROXY_MARK: "x" }],
  ["ISTIO_META_MESH_BIND: expected prefix 127.w", { ISTIO_META_MESH_BIND: '{"prefix":"10.0"}' }],
  ["SECRET_TTL: expected a duration such as 24h, got soon", { SECRET_TTL: "soon" }],
  ["SECRET_GRACE_PERIOD_RATIO: expected a number from 0 to 1, got 2", { SECRET_GRACE_PERIOD_RATIO: "2" }],
  ["PROXY_CONFIG statusPort: expected a port, got 70000", { PROXY_CONFIG: '{"statusPort":70000}' }],
])("refuses: %s", (message, change) => {
  expect(() => read(change)).toThrow(message);
});

test.each([
  [["waypoint"], "proxy: expected sidecar or router, got waypoint"],
  [[], "proxy: expected sidecar or router, got nothing"],
  [["sidecar", "--no-such-flag"], "--no-such-flag"],
  [["sidecar", "more"], "unexpected argument more"],
])("refuses the flags %j", (args, message) => {
  expect(() => read({}, { args })).toThrow(message);
});
