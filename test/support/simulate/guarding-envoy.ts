import { Agent, request as httpsRequest } from "node:https";
import { peerOf } from "../../../src/model/workload.ts";
import { type Ca, createRoot, issueServing, signWorkload } from "../../../src/pki/ca.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import type { SimulatedRequest } from "../../../src/simulate/request.ts";
import { type Messages, typed } from "../../../src/wire/codec.ts";
import { runEnvoy } from "../envoy/run-envoy.ts";

type HttpFilter = Messages["envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"];

/** Who asks, and how. */
export interface Asked {
  /** Index of the chain. */
  readonly chain: number;
  /** Identity without `spiffe://`; "": no certificate. */
  readonly peer: string;
  readonly source: string;
  readonly request: SimulatedRequest;
}

export interface Guarded {
  readonly status: number;
  /** Envoy's details of the answer, with the name of the policy that decided. */
  readonly details: string;
}

export interface GuardingEnvoy {
  ask(asked: Asked): Promise<Guarded>;
  stop(): Promise<void>;
}

/** One Envoy with a filter chain per list of HTTP filters, chosen by the server name `sN.test`; what passes is answered with 200. */
export async function startGuardingEnvoy(
  binary: string,
  {
    folder,
    port,
    chains,
    peers,
  }: {
    readonly folder: string;
    readonly port: number;
    readonly chains: readonly (readonly HttpFilter[])[];
    readonly peers: readonly string[];
  },
): Promise<GuardingEnvoy> {
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await createRoot("cluster.local", validity);
  const serving = await issueServing(ca, { dns: ["*.test"] }, validity);
  const clients = new Map<string, { readonly cert: string; readonly key: string }>();
  for (const peer of peers) if (peer !== "") clients.set(peer, await clientOf(ca, peer, validity));
  const tls = typed("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
    common_tls_context: {
      tls_certificates: [
        {
          certificate_chain: { inline_string: serving.certificate },
          private_key: { inline_string: serving.key.pem() },
        },
      ],
      validation_context: { trusted_ca: { inline_string: ca.certificate } },
    },
  });
  const envoy = await runEnvoy(
    binary,
    {
      static_resources: {
        listeners: [
          {
            name: "guarded",
            address: { socket_address: { address: "127.0.0.1", port_value: port } },
            listener_filters: [
              {
                name: "envoy.filters.listener.tls_inspector",
                typed_config: typed("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", {}),
              },
            ],
            filter_chains: chains.map((filters, index) => ({
              filter_chain_match: { server_names: [`s${index}.test`] },
              transport_socket: { name: "tls", typed_config: tls },
              filters: [{ name: "hcm", typed_config: connectionManager(filters) }],
            })),
          },
        ],
      },
    },
    { folder },
  );
  const agents = new Map<string, Agent>();
  const agentOf = ({ chain, peer, source }: Asked): Agent => {
    const key = `${chain} ${peer} ${source}`;
    const options = {
      keepAlive: true,
      maxSockets: 1,
      rejectUnauthorized: false,
      servername: `s${chain}.test`,
      localAddress: source,
    };
    const known = agents.get(key) ?? new Agent({ ...options, ...clients.get(peer) });
    agents.set(key, known);
    return known;
  };
  return {
    ask: (asked) => ask(agentOf(asked), port, asked),
    async stop() {
      for (const agent of agents.values()) agent.destroy();
      await envoy.stop();
    },
  };
}

async function clientOf(ca: Ca, peer: string, validity: { readonly notBefore: Date; readonly notAfter: Date }) {
  const [trustDomain = "", , namespace = "", , serviceAccount = ""] = peer.split("/");
  const { csr, key } = await createCsr();
  const subject = { identity: { trustDomain, namespace, serviceAccount }, peer: peerOf({}), podUid: "" };
  return { cert: await signWorkload(ca, csr, subject, validity), key: key.pem() };
}

function connectionManager(filters: readonly HttpFilter[]): unknown {
  return typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
    stat_prefix: "test",
    normalize_path: true,
    http_filters: filters,
    route_config: {
      name: "all",
      virtual_hosts: [
        {
          name: "all",
          domains: ["*"],
          routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
        },
      ],
    },
    local_reply_config: {
      mappers: [
        {
          filter: {
            status_code_filter: { comparison: { op: "GE", value: { default_value: 1, runtime_key: "none" } } },
          },
          headers_to_add: [{ header: { key: "seen-details", value: "%RESPONSE_CODE_DETAILS%" } }],
        },
      ],
    },
  });
}

function ask(agent: Agent, port: number, { request }: Asked): Promise<Guarded> {
  const { method, path, authority, headers } = request;
  return new Promise((resolve, reject) => {
    // an answer before the end of a request would cost the connection
    const flat = ["host", authority, "content-length", "0", ...headers.flat()];
    const sent = httpsRequest(
      { host: "127.0.0.1", port, agent, method, path, headers: flat, setHost: false },
      (response) => {
        response.resume();
        response.on("error", reject);
        const details = String(response.headers["seen-details"] ?? "");
        response.on("end", () => resolve({ status: response.statusCode ?? 0, details }));
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}
