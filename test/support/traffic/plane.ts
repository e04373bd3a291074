import { silentLogger } from "../../../src/base/logger.ts";
import { authenticate } from "../../../src/controlplane/caller.ts";
import { createKnownClusters } from "../../../src/controlplane/known-clusters.ts";
import { createMetrics } from "../../../src/controlplane/metrics.ts";
import { createState, type State } from "../../../src/controlplane/state.ts";
import type { XdsStream } from "../../../src/controlplane/xds-stream.ts";
import { createXdsAcceptor } from "../../../src/controlplane/xds-server.ts";
import { adsService } from "../../../src/grpc/ads-server.ts";
import { startGrpcServer } from "../../../src/grpc/server.ts";
import { type Ca, createRoot, issueServing, type Validity } from "../../../src/pki/ca.ts";
import type { Cluster } from "../../../src/resources/cluster.ts";
import type { KubeObject } from "../../../src/resources/object.ts";

/** The control plane in this process: its own state, compiler, xDS server and CA, fed with objects instead of a cluster. */
export interface Plane {
  readonly port: number;
  readonly ca: Ca;
  /** Of its certificates. */
  readonly validity: Validity;
  readonly state: State;
  /** What proxies refused, and what could not be built or served. */
  readonly problems: readonly string[];
  /** Connections of proxies. */
  readonly streams: ReadonlySet<XdsStream>;
  close(): Promise<void>;
}

const HOUR = 3_600_000;

/** Starts it with these objects. `reviewToken` stands for the API server; without it no token proves anything. Default CA: a new root. */
export async function startPlane(
  objects: readonly KubeObject[],
  {
    reviewToken = async () => undefined,
    ca: given,
  }: { readonly reviewToken?: Cluster["reviewToken"]; readonly ca?: Ca } = {},
): Promise<Plane> {
  const now = Date.now();
  const validity = { notBefore: new Date(now - HOUR), notAfter: new Date(now + 24 * HOUR) };
  const ca = given ?? (await createRoot("cluster.local", validity));
  const serving = await issueServing(ca, { dns: [SERVER_NAME] }, validity);
  const keys = {
    limits: { allowed: ["127.0.0.0/8"], blocked: [] },
    // an issuer that is not there is part of a case
    onFailure: () => undefined,
    refreshMs: 500,
  };
  const state = createState({ rootNamespace: "istio-system", domain: "cluster.local", clusterId: "Kubernetes", keys });
  state.world.apply(objects.map((object) => ({ type: "set", object })));
  state.world.apply(rootsObjects(ca.certificate).map((object) => ({ type: "set", object })));
  const problems: string[] = [];
  const note = (fields: unknown, text: string): void => {
    problems.push(`${text}: ${JSON.stringify(fields)}`);
  };
  const onFault = (error: unknown): void => note(String(error), "fault");
  const streams = new Set<XdsStream>();
  const acceptor = createXdsAcceptor({
    state,
    clusters: createKnownClusters(state.mesh.model.members, {
      cluster: { mayAccount: async () => true, reviewToken },
    }),
    // Secrets stand among the objects.
    secrets: { ...idle, open: () => ({ want: () => true, close: () => undefined }) },
    registration: { refuse: () => undefined, connected: () => () => undefined, health: () => undefined },
    streams,
    authenticate: (peer) => authenticate({ reviewToken, trustDomains: state.trustDomains }, peer),
    notReady: () => undefined,
    metrics: createMetrics({ world: state.world, model: state.mesh.model }),
    log: { ...silentLogger, warn: note, error: note },
    instance: "test",
    onFault,
  });
  const identity = {
    certificate: [serving.certificate, ...ca.intermediates].join(""),
    key: serving.key,
    clientRoots: ca.roots,
  };
  const server = await startGrpcServer({ host: "127.0.0.1", port: 0 }, identity, [adsService(acceptor, onFault)]);
  return {
    port: server.port,
    ca,
    validity,
    state,
    problems,
    streams,
    async close() {
      await server.close(0);
      state.close();
    },
  };
}

/** The authority of the applications' own TLS, as users keep one. */
function rootsObjects(pem: string): readonly KubeObject[] {
  const metadata = { name: "application-roots", namespace: "traffic" };
  const encoded = Buffer.from(pem).toString("base64");
  return [
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "ca.crt": pem } },
    { apiVersion: "v1", kind: "Secret", metadata, data: { "ca.crt": encoded } },
  ];
}

export const SERVER_NAME = "istiod.istio-system.svc";

const idle = { name: "secrets", start: async () => undefined, close: async () => undefined };
