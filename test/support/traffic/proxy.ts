import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { peerEnvironmentOf } from "../../../src/base/peer.ts";
import { traceEnvironmentOf } from "../../../src/base/trace-environment.ts";
import { sinksOf } from "../../../src/agent/bootstrap-sinks.ts";
import { createCounts } from "../../../src/agent/counts.ts";
import { createExtensions, type ExtensionsRunner } from "../../../src/agent/extensions/runner.ts";
import { createFileSecrets } from "../../../src/agent/file-secrets.ts";
import { publishRoots, type TrustedRoots } from "../../../src/agent/trust-bundles.ts";
import { compact } from "../../../src/base/compact.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { CaCredential } from "../../../src/grpc/ca-client.ts";
import { createLogService } from "../../../src/grpc/log-service.ts";
import { createSdsServer, type SdsSecret, type SdsServer } from "../../../src/grpc/sds-server.ts";
import { readMeshConfig } from "../../../src/model/mesh-config.ts";
import { peerLabels } from "../../../src/model/workload.ts";
import { type Ca, signWorkload, type Validity } from "../../../src/pki/ca.ts";
import { createCsr } from "../../../src/pki/create-csr.ts";
import type { PrivateKey } from "../../../src/pki/private-key.ts";
import { proxyBootstrap } from "../controlplane/real-proxy.ts";
import { testEnvoy } from "../envoy/binary.ts";
import { type RunningEnvoy, runEnvoy } from "../envoy/run-envoy.ts";
import { asFiles, type FileTexts } from "./files.ts";
import { type Name, namespaceOf } from "./mesh-objects.ts";
import { type Plane, SERVER_NAME } from "./plane.ts";

type RootsSecret = Extract<SdsSecret, { kind: "roots" }>;

/** An Envoy of the test mesh, and its agent's part. */
export interface MeshProxy extends RunningEnvoy {
  /** A new key and certificate by this authority, or other roots, as the agent would serve them; resolves with the new chain. */
  /** What it told its agent to count, as Prometheus text. */
  counted(): string;
  identify(by: {
    readonly ca?: Ca;
    readonly validity?: Validity;
    readonly roots?: string | Omit<RootsSecret, "kind">;
    /** Default: the mesh's. */
    readonly trustDomain?: string;
  }): Promise<string>;
  /** Trusts these from now on, as the agent does when its files change. */
  trust(roots: TrustedRoots): void;
}

/** A real Envoy of one workload of the test mesh, with an identity of the plane's CA, connected to the plane. */
export async function startMeshProxy(
  plane: Plane,
  name: Name,
  {
    prefix,
    texts = {},
    drainSeconds,
  }: { readonly prefix: string; readonly texts?: FileTexts; readonly drainSeconds?: number },
): Promise<MeshProxy> {
  const folder = mkdtempSync(join(tmpdir(), `traffic-${name}-`));
  const namespace = namespaceOf(name);
  const pod = plane.state.world.get("Pod", namespace, name);
  if (pod === undefined) throw new Error(`no pod ${name} in the test mesh`);
  const peer = peerLabels(pod, "Kubernetes");
  const issue = async (
    ca: Ca,
    { validity = hour(), trustDomain = plane.state.trustDomains()[0] } = {},
  ): Promise<{ readonly chain: string; readonly key: PrivateKey }> => {
    const { csr, key } = await createCsr();
    const identity = { trustDomain, namespace, serviceAccount: name };
    const leaf = await signWorkload(ca, csr, { identity, peer, podUid: `uid-${name}` }, validity);
    return { chain: [leaf, ...ca.intermediates].join(""), key };
  };
  const own = await issue(plane.ca);
  const socket = join(folder, "sds");
  const type = name === "gateway" ? "router" : "sidecar";
  const place = { port: plane.port, namespace, pod: name, account: name, prefix, type } as const;
  const bootstrap = withSinks(plane, configured(name, proxyBootstrap(place, socket)));
  const extensions = agentExtensions(plane, { folder, bootstrap, certificate: { kind: "certificate", ...own } });
  const counts = createCounts();
  const sds: SdsServer = createSdsServer(
    socket,
    silentLogger,
    [extensions.service, createLogService(counts.add)],
    (names) => fileSecrets.wanted(names),
  );
  const files = asFiles({ ...texts, "/test/cert": own.chain, "/test/key": own.key.pem() });
  const fileSecrets = createFileSecrets({ sds, log: silentLogger, files });
  await sds.start();
  sds.publish("default", { kind: "certificate", ...own });
  publishRoots(sds, { roots: plane.ca.roots, bundles: undefined });
  const close = async (): Promise<void> => {
    await extensions.runner.close();
    await sds.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const env = {
      ...peerEnvironmentOf(peer),
      ...traceEnvironmentOf(`${name}.${namespace}`, {}),
      ISTIO_META_MESH_ID: "test-mesh",
    };
    const envoy = await runEnvoy(await testEnvoy(), bootstrap, compact({ folder, env, drainSeconds }));
    return {
      ...envoy,
      trust: (trusted) => publishRoots(sds, trusted),
      async identify({ ca, validity, roots, trustDomain }) {
        if (roots !== undefined)
          sds.publish("ROOTCA", { kind: "roots", ...(typeof roots === "string" ? { pem: roots } : roots) });
        if (ca === undefined) return "";
        const fresh = await issue(ca, compact({ validity, trustDomain }));
        sds.publish("default", { kind: "certificate", ...fresh });
        return fresh.chain;
      },
      counted: () => counts.scrape().rest(),
      async stop() {
        await envoy.stop();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** From a minute ago until in an hour. */
function hour(): Validity {
  return { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
}

/** What its agent does for extensions. */
function agentExtensions(
  plane: Plane,
  of: {
    readonly folder: string;
    readonly bootstrap: Readonly<Record<string, unknown>>;
    readonly certificate: CaCredential;
  },
): ExtensionsRunner {
  const node = of.bootstrap["node"] as { id: string; cluster: string; metadata: Readonly<Record<string, unknown>> };
  const rootCert = join(of.folder, "roots.pem");
  writeFileSync(rootCert, plane.ca.certificate);
  return createExtensions({
    config: {
      discovery: { host: "127.0.0.1", port: plane.port },
      serverName: SERVER_NAME,
      rootCert,
      nodeId: node.id,
      nodeCluster: node.cluster,
      metadata: node.metadata,
    },
    certificate: () => of.certificate,
    modules: { folder: join(of.folder, "modules"), insecure: ["*"] },
    onOutcome: () => undefined,
    log: silentLogger,
  });
}

/** The client's own configuration takes HTTP/1.0 and says how it traces; the others' does not. */
function configured(name: Name, bootstrap: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (name !== "client") return bootstrap;
  const node = bootstrap["node"] as { readonly metadata: Readonly<Record<string, unknown>> };
  const tracing = { sampling: 100, customTags: { "of.proxy": { literal: { value: "client" } } } };
  const config = { proxyMetadata: { ISTIO_META_HTTP10: "1" }, tracing };
  return { ...bootstrap, node: { ...node, metadata: { ...node.metadata, PROXY_CONFIG: config } } };
}

/** Where the mesh's configuration of proxies says that statistics and access logs go, as an agent writes it. */
function withSinks({ state }: Plane, bootstrap: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { defaultConfig } = readMeshConfig(state.world, "istio-system");
  const { clusters, statsSinks } = sinksOf({ proxyConfig: defaultConfig });
  if (clusters.length === 0 && statsSinks.length === 0) return bootstrap;
  const resources = bootstrap["static_resources"] as { readonly clusters: readonly unknown[] };
  return {
    ...bootstrap,
    static_resources: { ...resources, clusters: [...resources.clusters, ...clusters] },
    stats_sinks: statsSinks,
    stats_flush_interval: "1s",
  };
}
