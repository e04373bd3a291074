import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scopePinningLogger, statNamespaceExtension } from "../../../src/agent/bootstrap-stats.ts";
import { type PeerLabels, peerEnvironmentOf } from "../../../src/base/peer.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { createSdsServer } from "../../../src/grpc/sds-server.ts";
import { type Ca, signWorkload } from "../../../src/pki/ca.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import { resourcesFor } from "../../../src/xds/resources.ts";
import type { XdsCase } from "../xds-case.ts";
import { startFixedAds } from "./fixed-ads.ts";
import { type RunningEnvoy, runEnvoy } from "./run-envoy.ts";

/** A proxy as the agent would run it: Envoy with its identity by SDS and its resources by ADS, from our builders' bytes. */
export interface TestProxy extends RunningEnvoy {
  readonly refusals: readonly string[];
  update(next: XdsCase): void;
}

interface ProxySetup {
  readonly ca: Ca;
  readonly peer: PeerLabels;
  readonly xds: XdsCase;
  /** A command to run Envoy under, e.g. in a network namespace. */
  readonly under?: readonly string[];
  /** Of the bootstrap: which statistics are kept; default all. */
  readonly stats?: unknown;
}

/** Starts a proxy of `peer`'s workload, with a certificate signed by `ca`, and `xds` as its configuration. */
export async function startProxy(binary: string, { ca, peer, xds, under = [], stats }: ProxySetup): Promise<TestProxy> {
  const folder = mkdtempSync(join(tmpdir(), "mesh-proxy-"));
  const sds = createSdsServer(join(folder, "sds"), silentLogger);
  const { csr, key } = await createCsr();
  const identity = { trustDomain: "cluster.local", namespace: peer.ns, serviceAccount: peer.app };
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const leaf = await signWorkload(ca, csr, { identity, peer, podUid: `uid-${peer.workload}` }, validity);
  sds.publish("default", { kind: "certificate", chain: leaf, key });
  sds.publish("ROOTCA", { kind: "roots", pem: ca.certificate });
  await sds.start();
  const ads = await startFixedAds(join(folder, "ads"), resourcesFor(xds.config, xds.options));
  // Envoy may run as another user
  for (const socket of ["ads", "sds"]) chmodSync(join(folder, socket), 0o777);
  const env = peerEnvironmentOf(peer);
  const close = async (): Promise<void> => {
    ads.close();
    await sds.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const envoy = await runEnvoy(
      binary,
      { ...bootstrap(join(folder, "ads"), join(folder, "sds")), stats_config: stats },
      {
        folder,
        env,
        under,
      },
    );
    return {
      ...envoy,
      refusals: ads.refusals,
      update: (next) => ads.update(resourcesFor(next.config, next.options)),
      stop: async () => {
        await envoy.stop();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function bootstrap(adsSocket: string, sdsSocket: string): Readonly<Record<string, unknown>> {
  const ads = { ads: {}, resource_api_version: "V3" };
  return {
    node: { id: "test", cluster: "test" },
    bootstrap_extensions: [statNamespaceExtension()],
    dynamic_resources: {
      cds_config: ads,
      lds_config: ads,
      ads_config: {
        api_type: "DELTA_GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
      },
    },
    static_resources: {
      clusters: [
        grpcCluster("xds-grpc", { pipe: { path: adsSocket } }),
        grpcCluster("sds-grpc", { pipe: { path: sdsSocket } }),
      ],
      listeners: [pin()],
    },
  };
}

function grpcCluster(name: string, address: unknown): unknown {
  return {
    name,
    type: "STATIC",
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
}

/** The static listener that keeps the metrics scope, as the agent's bootstrap has one. */
function pin(): unknown {
  const type = "type.googleapis.com/envoy.extensions.filters";
  return {
    name: "pin",
    address: { socket_address: { address: "127.0.0.1", port_value: 0 } },
    filter_chains: [
      {
        filters: [
          {
            name: "hcm",
            typed_config: {
              "@type": `${type}.network.http_connection_manager.v3.HttpConnectionManager`,
              stat_prefix: "pin",
              access_log: [scopePinningLogger()],
              route_config: { virtual_hosts: [] },
              http_filters: [{ name: "router", typed_config: { "@type": `${type}.http.router.v3.Router` } }],
            },
          },
        ],
      },
    ],
  };
}
