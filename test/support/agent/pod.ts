import { Agent, createServer, get, type Server } from "node:http";
import type { TypedAny } from "../../../src/wire/codec.ts";
import { lane } from "../envoy/free-ports.ts";
import { waitFor } from "../wait.ts";
import { startTestControlPlane, type TestControlPlane } from "./control-plane.ts";
import { type AgentProcess, startAgent } from "./process.ts";

/** Above those of test/support/traffic/lab.ts; each lane has its own. */
const PREFIX = `127.${240 + lane()}`;

/** The pod's address: its proxy's ports are all there. */
export const ADDRESS = `${PREFIX}.0.1`;
/** The token that the control plane takes. */
const TOKEN = "the-projected-token";
const BIND = {
  ISTIO_META_MESH_BIND: JSON.stringify({ prefix: PREFIX, appAddress: `${PREFIX}.0.2`, httpProxyPort: 15080 }),
};

/** A pod of an agent run from the sources, a real Envoy and an application, on loopback addresses, with a control plane. */
export interface TestPod {
  readonly plane: TestControlPlane;
  readonly agent: AgentProcess;
  readonly app: Server;
}

export interface PodOptions {
  /** Lifetime of certificates. */
  readonly ttlSeconds: number;
  /** Where what was started is put, to be closed in the reverse order. */
  readonly open: { close(): unknown }[];
  readonly proxyConfig?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of node that run mesh-agent; default: its sources. */
  readonly program?: readonly string[];
}

/** Starts all of it; the proxy may not be ready yet. */
export async function startPod(options: PodOptions): Promise<TestPod> {
  const { open } = options;
  const app = createServer((request, response) => response.end(`app saw ${request.url}`));
  await new Promise<void>((resolve) => {
    app.listen({ host: `${PREFIX}.0.2`, port: 8080 }, resolve);
  });
  open.push({ close: () => app.close() });
  const plane = await startTestControlPlane({
    accountOf: (token) => (token === TOKEN ? { namespace: "shop", serviceAccount: "web" } : "unknown token"),
    ttlSeconds: options.ttlSeconds,
    resources: podResources(),
  });
  open.push(plane);
  const agent = startAgent({
    args: ["proxy", "sidecar", "--domain", "shop.svc.cluster.local", "--concurrency", "1"],
    env: {
      POD_NAME: "web-1",
      POD_NAMESPACE: "shop",
      SERVICE_ACCOUNT: "web",
      INSTANCE_IP: ADDRESS,
      CA_ADDR: `istiod.istio-system.svc:${plane.port}`,
      PROXY_CONFIG: JSON.stringify(options.proxyConfig ?? {}),
      ISTIO_META_INTERCEPTION_MODE: "NONE",
      ...BIND,
      SECRET_GRACE_PERIOD_RATIO: "0.5",
      ...options.env,
    },
    files: {
      "etc/hosts": "127.0.0.1 istiod.istio-system.svc\n",
      "var/run/secrets/istio/root-cert.pem": plane.root.certificate,
      "var/run/secrets/tokens/istio-token": `${TOKEN}\n`,
    },
    program: options.program,
  });
  open.push({ close: () => agent.clean() });
  return { plane, agent, app };
}

/** A listener in plain text (10080) and one with the workload's certificate (10443), both to the app. */
function podResources(): readonly TypedAny[] {
  const type = (name: string): string => `type.googleapis.com/${name}`;
  const at = (address: string, port_value: number) => ({ socket_address: { address, port_value } });
  const manager = {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": type("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
      stat_prefix: "inbound",
      route_config: {
        virtual_hosts: [
          { name: "app", domains: ["*"], routes: [{ match: { prefix: "/" }, route: { cluster: "app" } }] },
        ],
      },
      http_filters: [
        {
          name: "envoy.filters.http.router",
          typed_config: { "@type": type("envoy.extensions.filters.http.router.v3.Router") },
        },
      ],
    },
  };
  const sds = {
    resource_api_version: "V3",
    api_config_source: {
      api_type: "DELTA_GRPC",
      transport_api_version: "V3",
      grpc_services: [{ envoy_grpc: { cluster_name: "sds-grpc" } }],
    },
  };
  const tls = {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": type("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
      common_tls_context: { tls_certificate_sds_secret_configs: [{ name: "default", sds_config: sds }] },
    },
  };
  const listener = (name: string, port: number, extra: object): TypedAny => ({
    "@type": type("envoy.config.listener.v3.Listener"),
    name,
    traffic_direction: "INBOUND",
    address: at(ADDRESS, port),
    filter_chains: [{ filters: [manager], ...extra }],
  });
  return [
    {
      "@type": type("envoy.config.cluster.v3.Cluster"),
      name: "app",
      type: "STATIC",
      connect_timeout: "1s",
      load_assignment: {
        cluster_name: "app",
        endpoints: [{ lb_endpoints: [{ endpoint: { address: at(`${PREFIX}.0.2`, 8080) } }] }],
      },
    },
    listener("plain", 10080, {}),
    listener("tls", 10443, { transport_socket: tls }),
  ];
}

/** Waits until 15021 says so. */
export async function ready(agent: AgentProcess): Promise<void> {
  await waitFor(async () => (await status(`http://${ADDRESS}:15021/healthz/ready`)) === 200, {
    what: `15021 ready\n${agent.output()}`,
    timeoutMs: 30_000,
  });
}

/** One HTTP answer. */
export interface Fetched {
  readonly status: number;
  readonly text: string;
  readonly connection: string | undefined;
}

/** GET. `keep`: says that it would use the connection again. */
export function fetchOnce(url: string, keep = false): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const agent = keep ? new Agent({ keepAlive: true }) : false;
    const call = get(url, { agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        if (agent !== false) agent.destroy();
        const connection = answer.headers.connection ?? (keep ? "keep-alive" : undefined);
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString(), connection });
      });
    });
    call.on("error", reject);
  });
}

/** Of a GET. */
export async function status(url: string): Promise<number> {
  return (await fetchOnce(url)).status;
}

/** Of a GET. */
export async function body(url: string): Promise<string> {
  return (await fetchOnce(url)).text;
}
