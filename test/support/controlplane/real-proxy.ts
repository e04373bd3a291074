import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { statNamespaceExtension } from "../../../src/agent/bootstrap-stats.ts";
import { publishRoots } from "../../../src/agent/trust-bundles.ts";
import { CONTROL_PLANE_ROOTS } from "../../../src/base/agent-sds.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { requestCertificate } from "../../../src/grpc/ca-client.ts";
import { createSdsServer } from "../../../src/grpc/sds-server.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import { testEnvoy } from "../envoy/binary.ts";
import { runEnvoy } from "../envoy/run-envoy.ts";

/** Which pod's Envoy, and where its control plane is. */
export interface RealProxyOptions {
  readonly port: number;
  /** Ports of further replicas of the control plane: connections are spread over all, as by a Service. */
  readonly morePorts?: readonly number[];
  readonly roots: string;
  readonly token: string;
  readonly namespace: string;
  readonly pod: string;
  readonly account: string;
  /** First two numbers of the loopback addresses that it binds. */
  readonly prefix: string;
  /** The cluster that it says it is in. Default: Kubernetes. */
  readonly clusterId?: string;
  /** Default: sidecar. */
  readonly type?: "sidecar" | "router";
  /** Default: delta. */
  readonly protocol?: "delta" | "sotw";
}

export interface RealProxy {
  /** Answer of the admin interface. */
  admin(path: string): Promise<string>;
  /** A part of /config_dump, in JSON. */
  dump(path?: string): Promise<string>;
  /** One counter or gauge of /stats. */
  stat(name: string): Promise<number>;
  log(): string;
  stop(): Promise<void>;
}

const SERVER_NAME = "istiod.istio-system.svc";

/** A real Envoy with an identity that the control plane signed for the token, connected to it by delta ADS. */
export async function startRealProxy(options: RealProxyOptions): Promise<RealProxy> {
  const folder = mkdtempSync(join(tmpdir(), "real-proxy-"));
  const { csr, key } = await createCsr();
  const chain = await requestCertificate({
    address: { host: "127.0.0.1", port: options.port },
    serverName: SERVER_NAME,
    roots: options.roots,
    csr,
    ttlSeconds: 3600,
    credential: { kind: "token", token: options.token },
    clusterId: options.clusterId ?? "Kubernetes",
    timeout: 10_000,
  });
  const sds = createSdsServer(join(folder, "sds"), silentLogger);
  await sds.start();
  sds.publish("default", { kind: "certificate", chain: chain.slice(0, -1).join(""), key });
  publishRoots(sds, { roots: chain.at(-1) ?? "", bundles: undefined });
  const envoy = await runEnvoy(await testEnvoy(), proxyBootstrap(options, join(folder, "sds")), { folder });
  return {
    admin: (path) => envoy.admin(path),
    dump: (path = "?include_eds") => envoy.admin(`/config_dump${path}`),
    async stat(name) {
      const text = await envoy.admin(`/stats?filter=^${name}$`);
      return Number(/: (\d+)/.exec(text)?.[1] ?? "0");
    },
    log: () => envoy.log(),
    async stop() {
      await envoy.stop();
      await sds.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const H2 = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    common_http_protocol_options: { max_requests_per_connection: 1 },
    explicit_http_config: { http2_protocol_options: {} },
  },
};

/** Envoy's own would grow to 30 s while the control plane is away. */
const RETRY = { retry_back_off: { base_interval: "0.1s", max_interval: "1s" } };

/** The bootstrap of such an Envoy: its identity by SDS from `socket`, all else from the control plane. */
export function proxyBootstrap(
  options: Omit<RealProxyOptions, "roots" | "token">,
  socket: string,
): Readonly<Record<string, unknown>> {
  const { namespace, pod, account, prefix } = options;
  const address = `${prefix}.0.1`;
  const ads = { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" };
  const to = (name: string, ...targets: readonly unknown[]) => ({
    cluster_name: name,
    endpoints: [{ lb_endpoints: targets.map((address) => ({ endpoint: { address } })) }],
  });
  const local = (port: number) => ({ socket_address: { address: "127.0.0.1", port_value: port } });
  return {
    node: {
      id: `${options.type ?? "sidecar"}~${address}~${pod}.${namespace}~${namespace}.svc.cluster.local`,
      cluster: `${account}.${namespace}`,
      metadata: {
        NAMESPACE: namespace,
        SERVICE_ACCOUNT: account,
        NAME: pod,
        CLUSTER_ID: options.clusterId ?? "Kubernetes",
        ISTIO_VERSION: "0.1.0",
        MESH_AGENT_COUNTS: "true",
        INSTANCE_IPS: address,
        INTERCEPTION_MODE: "NONE",
        MESH_BIND: JSON.stringify({ prefix, appAddress: `${prefix}.0.2`, httpProxyPort: 15080 }),
      },
    },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    bootstrap_extensions: [statNamespaceExtension()],
    dynamic_resources: {
      lds_config: ads,
      cds_config: ads,
      ads_config: {
        api_type: options.protocol === "sotw" ? "GRPC" : "DELTA_GRPC",
        transport_api_version: "V3",
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc", retry_policy: RETRY } }],
      },
    },
    static_resources: {
      clusters: [
        {
          name: "xds-grpc",
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: H2,
          load_assignment: to("xds-grpc", ...[options.port, ...(options.morePorts ?? [])].map(local)),
          transport_socket: { name: "envoy.transport_sockets.tls", typed_config: tls() },
        },
        {
          name: "sds-grpc",
          type: "STATIC",
          connect_timeout: "1s",
          typed_extension_protocol_options: H2,
          load_assignment: to("sds-grpc", { pipe: { path: socket } }),
        },
      ],
    },
  };
}

function tls(): unknown {
  const source = {
    resource_api_version: "V3",
    initial_fetch_timeout: "0s",
    api_config_source: {
      api_type: "GRPC",
      transport_api_version: "V3",
      grpc_services: [{ envoy_grpc: { cluster_name: "sds-grpc" } }],
    },
  };
  return {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    sni: SERVER_NAME,
    common_tls_context: {
      // Envoy as a client stops at 1.2 by itself
      tls_params: { tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3" },
      alpn_protocols: ["h2"],
      tls_certificate_sds_secret_configs: [{ name: "default", sds_config: source }],
      combined_validation_context: {
        default_validation_context: {
          match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: SERVER_NAME } }],
        },
        validation_context_sds_secret_config: { name: CONTROL_PLANE_ROOTS, sds_config: source },
      },
    },
  };
}
