import type { ConfigInput, HostPort } from "../../../src/agent/config.ts";

/** A pod's agent; `discovery` when its address is known from ./etc/hosts. */
type BootstrapCase = ConfigInput & { readonly discovery?: HostPort };

const ENV = {
  POD_NAME: "web-1",
  POD_NAMESPACE: "shop",
  INSTANCE_IP: "10.244.0.9",
  SERVICE_ACCOUNT: "web",
  CA_ADDR: "istiod.istio-system.svc:15012",
  ISTIO_META_WORKLOAD_NAME: "web",
  ISTIO_META_CLUSTER_ID: "Kubernetes",
} as const;

const LABELS = 'app="web"\nversion="v1"';
const common = {
  readFile: (path: string) => (path.endsWith("labels") ? LABELS : undefined),
  version: "0.1.0",
} as const;

/** Every field of the proxy configuration that the bootstrap shows. */
const KNOBS = {
  drainDuration: "7s",
  proxyAdminPort: 15900,
  statusPort: 15920,
  proxyStatsMatcher: { inclusionPrefixes: ["cluster.outbound"] },
  runtimeValues: { "envoy.restart_features.example": "true" },
  tracingServiceName: "CANONICAL_NAME_ONLY",
  statsCompression: false,
  statsdUdpAddress: "10.0.0.7:8125",
  tracing: { zipkin: { address: "zipkin.observability:9411" }, tlsSettings: { mode: "SIMPLE", sni: "zipkin.example" } },
  envoyAccessLogService: { address: "10.0.0.8:9000", tcpKeepalive: { probes: 3, time: "60s", interval: "10s" } },
  envoyMetricsService: {
    address: "metrics.observability:9001",
    tlsSettings: { mode: "SIMPLE" },
  },
};

/** The kinds of proxy there are, by name of their golden. */
export const BOOTSTRAP_CASES: Readonly<Record<string, BootstrapCase>> = {
  sidecar: { ...common, args: ["sidecar", "--domain", "shop.svc.cluster.local"], env: ENV },
  gateway: {
    ...common,
    args: ["router"],
    env: { ...ENV, POD_NAME: "ingress-1", INSTANCE_IP: "fd00::9", EXIT_ON_ZERO_ACTIVE_CONNECTIONS: "true" },
  },
  knobs: {
    ...common,
    args: ["sidecar"],
    env: { ...ENV, PROXY_CONFIG: JSON.stringify(KNOBS) },
  },
  mark: { ...common, args: ["sidecar", "--domain", "shop.svc.cluster.local"], env: { ...ENV, PROXY_MARK: "1340" } },
  explicit: {
    ...common,
    args: ["sidecar"],
    env: {
      ...ENV,
      INSTANCE_IP: "127.3.0.1",
      ISTIO_META_INTERCEPTION_MODE: "NONE",
      ISTIO_META_MESH_BIND: '{"prefix":"127.3","appAddress":"127.3.0.2","httpProxyPort":15080}',
    },
    discovery: { host: "127.9.1.1", port: 15012 },
  },
};
