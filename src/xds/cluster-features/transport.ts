import { compact } from "../../base/compact.ts";
import { certificateFiles, rootsFile, SYSTEM_ROOTS } from "../../base/file-secrets.ts";
import type { Cluster, ClusterTls } from "../../ir/cluster.ts";
import { type Messages, typed } from "../../wire/codec.ts";
import {
  ADS_SECRETS_OUT,
  ALPN,
  anyOf,
  exactly,
  limitedParams,
  meshTls,
  RAW_SOCKET,
  SDS_AGENT_FILES,
  tlsParams,
  upstream,
} from "../tls.ts";
import type { EnvoyCluster, TransportSocket, XdsOptions } from "../types.ts";
import type { ClusterFeature } from "./types.ts";

type CommonTls = Messages["envoy.extensions.transport_sockets.tls.v3.CommonTlsContext"];

/** How connections are secured, for "auto" chosen per endpoint by its `tlsMode`; a PROXY header goes before all of it. */
export const transport: ClusterFeature = {
  fields(cluster, options) {
    const secured = sockets(cluster, options);
    return cluster.proxyProtocol === undefined ? secured : announced(secured, cluster.proxyProtocol);
  },
};

type Sockets = Pick<EnvoyCluster, "transport_socket" | "transport_socket_matches">;

function sockets(cluster: Cluster, options: XdsOptions): Sockets {
  const tls = cluster.tls;
  if (tls === undefined) return {};
  switch (tls.mode) {
    case "disable":
      return {};
    case "auto":
      return {
        transport_socket_matches: [
          { name: "tlsMode-istio", match: { tlsMode: "istio" }, transport_socket: mesh(cluster, tls, options) },
          { name: "tlsMode-disabled", match: {}, transport_socket: RAW_SOCKET },
        ],
      };
    case "istio-mutual":
      return { transport_socket: mesh(cluster, tls, options) };
    case "simple":
    case "mutual":
      return { transport_socket: upstream(originated(cluster, tls, options), tls.sni) };
  }
}

function announced(secured: Sockets, version: "V1" | "V2"): Sockets {
  const wrap = (socket: TransportSocket = RAW_SOCKET): TransportSocket => ({
    name: "envoy.transport_sockets.upstream_proxy_protocol",
    typed_config: typed("envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport", {
      config: { version },
      transport_socket: socket,
    }),
  });
  const { transport_socket_matches: matches } = secured;
  if (matches === undefined) return { transport_socket: wrap(secured.transport_socket) };
  return {
    transport_socket_matches: matches.map((match) =>
      compact({ ...match, transport_socket: wrap(match.transport_socket) }),
    ),
  };
}

function mesh(cluster: Cluster, tls: ClusterTls, options: XdsOptions): TransportSocket {
  const sans = tls.subjectAltNames.length === 0 ? anyOf(options.trustDomains) : exactly(tls.subjectAltNames);
  return upstream({ ...meshTls(sans, options.meshTls), alpn_protocols: meshAlpn(cluster) }, tls.sni);
}

/** What is offered when no request says otherwise: what raw TCP needs, or the one protocol that the cluster speaks. */
function meshAlpn(cluster: Cluster): readonly string[] {
  if (cluster.protocol === "http2" || cluster.protocol === "grpc") return ALPN.h2;
  return cluster.protocol === "http" ? ALPN.h1 : ALPN.tcp;
}

/** The hash that no certificate has: without roots nothing is trusted. */
const NO_CERTIFICATE = "00".repeat(32);

/** TLS that the proxy originates towards a server outside the mesh; files and the system's roots come through the agent. */
function originated(cluster: Cluster, tls: ClusterTls, { outsideTls, allTls }: XdsOptions): CommonTls {
  const sans = tls.subjectAltNames.map(
    (name) => ({ san_type: name.includes("://") ? "URI" : "DNS", matcher: { exact: name } }) as const,
  );
  return compact({
    tls_params: limitedParams(tlsParams(outsideTls), allTls),
    alpn_protocols: cluster.protocol === "http2" || cluster.protocol === "grpc" ? ["h2"] : undefined,
    ...(tls.roots === undefined ? bySecrets(tls, sans) : byRoots(tls.roots, sans)),
  });
}

type SanMatch = { readonly san_type: "URI" | "DNS"; readonly matcher: { readonly exact: string } };

/** Roots that are written out; none at all: nobody is trusted. */
function byRoots(roots: string, sans: readonly SanMatch[]): Partial<CommonTls> {
  if (roots === "") return { validation_context: { verify_certificate_hash: [NO_CERTIFICATE] } };
  return { validation_context: { trusted_ca: { inline_string: roots }, match_typed_subject_alt_names: sans } };
}

/** Roots and certificate as secrets: of a credential from the control plane, else files through the agent. */
function bySecrets(tls: ClusterTls, sans: readonly SanMatch[]): Partial<CommonTls> {
  const { clientCertificate = "", privateKey = "", credentialName: credential, caCertificates = SYSTEM_ROOTS } = tls;
  const source = credential === undefined ? SDS_AGENT_FILES : ADS_SECRETS_OUT;
  const roots = credential === undefined ? rootsFile(caCertificates, tls.caCrl) : `kubernetes://${credential}-cacert`;
  const own = credential === undefined ? certificateFiles(clientCertificate, privateKey) : `kubernetes://${credential}`;
  const checked = {
    default_validation_context: sans.length === 0 ? {} : { match_typed_subject_alt_names: sans },
    validation_context_sds_secret_config: { name: roots, sds_config: source },
  };
  return compact({
    combined_validation_context: tls.insecureSkipVerify === true ? undefined : checked,
    tls_certificate_sds_secret_configs: tls.mode === "mutual" ? [{ name: own, sds_config: source }] : undefined,
  });
}
