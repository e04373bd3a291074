import { compact } from "../base/compact.ts";
import type { Cluster, ClusterTls } from "../ir/cluster.ts";
import type { Messages } from "../wire/codec.ts";
import { ADS_SECRETS, ALPN, anyOf, exactly, meshTls, RAW_SOCKET, TLS_PARAMS, upstream } from "./tls.ts";
import type { EnvoyCluster, TransportSocket, XdsOptions } from "./types.ts";

type CommonTls = Messages["envoy.extensions.transport_sockets.tls.v3.CommonTlsContext"];
type ValidationContext = Messages["envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext"];

/** How a cluster's connections are secured: `transport_socket`, or for "auto" a choice per endpoint by its `tlsMode`. */
export function clusterTls(
  cluster: Cluster,
  options: XdsOptions,
): Pick<EnvoyCluster, "transport_socket" | "transport_socket_matches"> {
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
      return { transport_socket: upstream(originated(cluster, tls), tls.sni) };
  }
}

function mesh(cluster: Cluster, tls: ClusterTls, options: XdsOptions): TransportSocket {
  const sans = tls.subjectAltNames.length === 0 ? anyOf(options.trustDomains) : exactly(tls.subjectAltNames);
  return upstream({ ...meshTls(sans), alpn_protocols: meshAlpn(cluster) }, tls.sni);
}

/** What is offered when no request says otherwise: what raw TCP needs, or the one protocol that the cluster speaks. */
function meshAlpn(cluster: Cluster): readonly string[] {
  if (cluster.protocol === "http2" || cluster.protocol === "grpc") return ALPN.h2;
  return cluster.protocol === "http" ? ALPN.h1 : ALPN.tcp;
}

/** TLS that the proxy originates towards a server outside the mesh. */
function originated(cluster: Cluster, tls: ClusterTls): CommonTls {
  const alpn = cluster.protocol === "http2" || cluster.protocol === "grpc" ? ["h2"] : undefined;
  const sans = tls.subjectAltNames.map((name) => ({ san_type: "DNS", matcher: { exact: name } }) as const);
  const context: ValidationContext = compact({
    match_typed_subject_alt_names: sans.length === 0 ? undefined : sans,
    ...(tls.caCertificates === undefined
      ? { system_root_certs: {} }
      : { trusted_ca: { filename: tls.caCertificates } }),
  });
  if (tls.credentialName !== undefined) return byCredential(tls.credentialName, tls.mode === "mutual", alpn);
  return compact({
    tls_params: TLS_PARAMS,
    alpn_protocols: alpn,
    validation_context: context,
    tls_certificates:
      tls.clientCertificate === undefined || tls.privateKey === undefined
        ? undefined
        : [{ certificate_chain: { filename: tls.clientCertificate }, private_key: { filename: tls.privateKey } }],
  });
}

/** Certificates from a Kubernetes secret, which the control plane serves over ADS. */
function byCredential(credential: string, mutual: boolean, alpn: readonly string[] | undefined): CommonTls {
  const name = `kubernetes://${credential}`;
  return compact({
    tls_params: TLS_PARAMS,
    alpn_protocols: alpn,
    tls_certificate_sds_secret_configs: mutual ? [{ name, sds_config: ADS_SECRETS }] : undefined,
    validation_context_sds_secret_config: { name: `${name}-cacert`, sds_config: ADS_SECRETS },
  });
}
