import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testEnvoy } from "../envoy/binary.ts";
import { runEnvoy } from "../envoy/run-envoy.ts";

/** A client of HTTP/3: what it is asked by HTTP/1 it asks by QUIC. */
export interface Http3Client {
  readonly host: string;
  readonly port: number;
  log(): string;
  stop(): Promise<void>;
}

/** Which UDP port is meant, and the server name that is sent; in the answer: why there was none (`-`: there was). */
export const HTTP3_HEADERS = { port: "x-h3-port", sni: "x-h3-sni", flags: "x-h3-flags" } as const;

const HOST = "127.0.0.1";
const ENVOY = "type.googleapis.com/envoy";

/** A real Envoy, since Node has no HTTP/3; it speaks to these UDP ports of `server`. Whatever certificate is shown is taken. */
export async function startHttp3Client(server: string, ports: readonly number[]): Promise<Http3Client> {
  const folder = mkdtempSync(join(tmpdir(), "traffic-http3-"));
  const port = await freePort();
  const envoy = await runEnvoy(await testEnvoy(), bootstrap(port, server, ports), { folder });
  return {
    host: HOST,
    port,
    log: () => envoy.log(),
    async stop() {
      await envoy.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function bootstrap(port: number, server: string, ports: readonly number[]): Readonly<Record<string, unknown>> {
  return {
    static_resources: {
      listeners: [
        {
          name: "h3",
          address: { socket_address: { address: HOST, port_value: port } },
          filter_chains: [{ filters: [manager()] }],
        },
      ],
      clusters: ports.map((one) => cluster(server, one)),
    },
  };
}

function manager(): unknown {
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": `${ENVOY}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: "h3",
      http_filters: [
        { name: "router", typed_config: { "@type": `${ENVOY}.extensions.filters.http.router.v3.Router` } },
      ],
      route_config: {
        response_headers_to_add: [{ header: { key: HTTP3_HEADERS.flags, value: "%RESPONSE_FLAGS%" } }],
        virtual_hosts: [
          {
            name: "all",
            domains: ["*"],
            routes: [{ match: { prefix: "/" }, route: { cluster_header: HTTP3_HEADERS.port, timeout: "10s" } }],
          },
        ],
      },
    },
  };
}

function cluster(server: string, port: number): unknown {
  return {
    name: String(port),
    type: "STATIC",
    connect_timeout: "2s",
    load_assignment: {
      cluster_name: String(port),
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { address: server, port_value: port } } } }] },
      ],
    },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": `${ENVOY}.extensions.upstreams.http.v3.HttpProtocolOptions`,
        explicit_http_config: { http3_protocol_options: {} },
        upstream_http_protocol_options: { auto_sni: true, override_auto_sni_header: HTTP3_HEADERS.sni },
        // each request by a handshake of its own
        common_http_protocol_options: { max_requests_per_connection: 1 },
      },
    },
    transport_socket: {
      name: "envoy.transport_sockets.quic",
      typed_config: {
        "@type": `${ENVOY}.extensions.transport_sockets.quic.v3.QuicUpstreamTransport`,
        upstream_tls_context: { common_tls_context: { validation_context: {} } },
      },
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
