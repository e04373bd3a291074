import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterError } from "../../src/base/errors.ts";
import { parse } from "../../src/cli-parse.ts";
import { withMesh } from "../../src/cli-mesh.ts";
import { type XdsFlags, xdsCluster } from "../../src/commands/xds-cluster.ts";
import type { Caller } from "../../src/controlplane/caller.ts";
import { CLIENT_STATUS_TYPES, clientStatusResources } from "../../src/controlplane/client-status.ts";
import { createMetrics } from "../../src/controlplane/metrics.ts";
import { DEBUG_TYPE, withDebug } from "../../src/controlplane/xds-debug.ts";
import type { XdsStream } from "../../src/controlplane/xds-stream.ts";
import { adsService, type SotwRequest, type XdsConnection } from "../../src/grpc/ads-server.ts";
import { type GrpcServer, type Peer, startGrpcServer } from "../../src/grpc/server.ts";
import { createRoot, issueClient, issueServing } from "../../src/pki/ca.ts";
import type { Cluster } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { decodeAny, encodeAny, typeOfUrl } from "../../src/wire/codec.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";

// A control plane that answers debug questions over xDS, with TLS, and commands that ask it there.

const SERVER = "istiod.istio-system.svc";
const folder = mkdtempSync(join(tmpdir(), "meshctl-xds-"));
let server: GrpcServer;
let roots = "";
/** First requests that were no questions. */
const proxies: string[] = [];
const ended: string[] = [];

const stream = (proxy: string): XdsStream =>
  ({
    proxy,
    connectedAt: 1,
    address: "10.0.0.1:1",
    claim: { namespace: proxy.split(".")[1] },
    status: () => ({ proxy, istio_version: "1.2.3", control_plane: "istiod-1", types: {} }),
    subscription: () => undefined,
  }) as unknown as XdsStream;

/** Clusters that tokens were said to be of. */
const claimed: (string | undefined)[] = [];

/** A token is `t.NAMESPACE.t`; a certificate is of the control plane's namespace. */
function caller({ certificate, bearer, clusterId }: Peer): Caller | undefined {
  if (bearer !== undefined) claimed.push(clusterId);
  const namespace = certificate === undefined ? bearer?.split(".")[1] : "istio-system";
  return namespace === undefined ? undefined : ({ identity: { namespace } } as unknown as Caller);
}

beforeAll(async () => {
  const now = Date.now();
  const validity = { notBefore: new Date(now - 60_000), notAfter: new Date(now + 3_600_000) };
  const root = await createRoot("cluster.local", validity);
  roots = root.certificate;
  const serving = await issueServing(root, { dns: [SERVER] }, validity);
  const client = await issueClient(root, { commonName: "me", organizations: [] }, validity);
  writeFileSync(join(folder, "cert-chain.pem"), client.certificate);
  writeFileSync(join(folder, "key.pem"), client.key.pem());
  writeFileSync(join(folder, "root-cert.pem"), roots);
  const proxy = () => ({
    request: (request: { readonly type_url?: string }) => void proxies.push(request.type_url ?? ""),
    drained: () => undefined,
    closed: () => void ended.push("proxy"),
  });
  const acceptor = withDebug(
    { sotw: proxy, delta: proxy },
    {
      authenticate: (peer) => Promise.resolve(caller(peer)),
      questions: {
        metrics: createMetrics({ world: { list: () => [] } }),
        streams: new Set([stream("web-1.shop"), stream("db-0.data")]),
        authenticate: () => Promise.resolve(undefined),
        debugNamespaces: ["istio-system"],
        analyse: () => Promise.resolve(Buffer.from("{}")),
        more: {
          clusterz: { answer: () => ({ status: 200, body: "[]" }), change: () => ({ status: 200, body: "no" }) },
        },
      },
      instance: "istiod-1",
      onFault: (error) => {
        throw error;
      },
    },
  );
  const identity = { certificate: serving.certificate, key: serving.key, clientRoots: roots };
  server = await startGrpcServer({ host: "127.0.0.1", port: 0 }, identity, [adsService(acceptor, () => undefined)]);
});
afterAll(async () => {
  await server.close(0);
  rmSync(folder, { recursive: true });
});

/** A cluster without pods of a control plane; tokens of `forbidden` namespaces may not be made. */
function reader(
  flags: Partial<XdsFlags> = {},
  forbidden: readonly string[] = [],
  more: readonly KubeObject[] = [],
): Cluster {
  const map: KubeObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "istio-ca-root-cert", namespace: "istio-system" },
    data: { "root-cert.pem": roots },
  };
  const cluster: Cluster = {
    ...fakeCluster({ objects: [map, ...more] }),
    createToken: ({ namespace, audiences }) =>
      forbidden.includes(namespace)
        ? Promise.reject(new ClusterError("forbidden", "serviceaccounts/token is forbidden"))
        : Promise.resolve(`t.${audiences.join()}.t`.replace("istio-ca", namespace)),
  };
  return xdsCluster(cluster, { xdsAddress: `127.0.0.1:${server.port}`, ...flags }, folder);
}

async function run(line: string, cluster: Cluster): Promise<string> {
  const io = fakeIo({ cluster });
  const parsed = parse(line.split(" "));
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  await (await parsed.spec.load())(parsed.input, io);
  return io.stdout();
}

test("commands ask the control plane at an address, by a token or by a certificate; whoever answers says which pod it is", async () => {
  for (const cluster of [
    reader(),
    reader({ insecure: true }),
    reader({ certDir: "." }),
    reader({ certDir: ".", insecure: true }),
  ]) {
    expect(await run("internal-debug --list", cluster)).toContain('"clusterz"');
    const states = JSON.parse(await run("proxy-status -o json", cluster)) as readonly object[];
    expect(states).toMatchObject([
      { name: "db-0", namespace: "data", istiod: "istiod-1" },
      { name: "web-1", namespace: "shop", istiod: "istiod-1" },
    ]);
    expect(await run("internal-debug --all clusterz", cluster)).toBe("istiod-1:\n[]\n");
  }
  expect(proxies).toEqual([]);
});

test("a token is said to be of the cluster that made it: the control plane may serve several", async () => {
  claimed.length = 0;
  const values = JSON.stringify({ global: { multiCluster: { clusterName: "west" } } });
  const injector = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "istio-sidecar-injector", namespace: "istio-system" },
    data: { values },
  };
  await run("internal-debug --list", reader({}, [], [injector]));
  await run("internal-debug --list", reader());
  expect([...new Set(claimed)]).toEqual(["west", undefined]);
});

test("a token of another namespace sees the proxies there alone", async () => {
  const cluster = reader({ namespace: "shop" }, ["istio-system"]);
  await expect(run("internal-debug syncz", cluster)).rejects.toThrow(
    "answered 403: only config_dump and ndsz are open",
  );
  await expect(run("internal-debug clusterz", cluster)).rejects.toThrow("answered 403");
  const other = "internal-debug ndsz?proxyID=db-0.data";
  await expect(run(other, cluster)).rejects.toThrow("answered 404: the proxy is not connected to this instance");
  await expect(run("proxy-status", reader({}, ["istio-system", "default"]))).rejects.toThrow("is forbidden");
});

test("nothing can be changed over xDS, and what is no question has no answer", async () => {
  await expect(run("admin log --level ads:debug", reader())).rejects.toThrow("cannot be changed over xDS");
  await expect(run("internal-debug nonsense", reader())).rejects.toThrow("answered 404: not found");
  await expect(run("internal-debug //", reader())).rejects.toThrow("answered 4");
});

test("who cannot be verified, is not there or shows nothing is told apart", async () => {
  await expect(run("proxy-status", reader({ authority: "other.example" }))).rejects.toThrow("altnames");
  await expect(run("proxy-status", reader({ plaintext: true }))).rejects.toThrow("does not answer over xDS");
  await expect(run("proxy-status", reader({ xdsAddress: "127.0.0.1:1" }))).rejects.toMatchObject({ code: "xds" });
  await expect(run("proxy-status", reader({ certDir: "none" }))).rejects.toThrow("cert-chain.pem cannot be read");
  await expect(run("proxy-status", reader({ certDir: ".", plaintext: true }))).rejects.toThrow("exclude each other");
  const flags = { bundle: "b.tar.gz", xdsAddress: "x:1" };
  await expect(withMesh(fakeIo(), flags)).rejects.toThrow("--bundle and --xds-address exclude each other");
});

test("only a stream's first request makes it one of questions; a client without a proof is turned away", async () => {
  const said: string[] = [];
  const connection = (bearer?: string): XdsConnection => ({
    peer: { address: "10.0.0.9:1", certificate: undefined, bearer },
    send: () => void said.push("answered"),
    end: (refusal) => void said.push(refusal?.status ?? "ended"),
  });
  const requests: string[] = [];
  const inner = () => ({
    request: ({ type_url = "" }: SotwRequest) => void requests.push(type_url),
    drained: () => undefined,
    closed: () => undefined,
  });
  const deps = {
    authenticate: (peer: Peer) => Promise.resolve(caller(peer)),
    questions: {
      metrics: createMetrics({ world: { list: () => [] } }),
      streams: new Set<XdsStream>(),
      authenticate: () => Promise.resolve(undefined),
      debugNamespaces: ["istio-system"],
      analyse: () => Promise.resolve(Buffer.from("{}")),
      more: {},
    },
    instance: "istiod-1",
    onFault: () => undefined,
  };
  const { sotw } = withDebug({ sotw: inner, delta: inner }, deps);
  const question = { type_url: DEBUG_TYPE, resource_names: ["list"] };
  const proxy = sotw(connection("t.shop.t"));
  proxy.request({ type_url: "clusters" });
  proxy.request(question);
  expect(requests).toEqual(["clusters", DEBUG_TYPE]);
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  const asking = sotw(connection("t.shop.t"));
  // istioctl's first request has a nonce that nobody sent; the second one confirms the answer
  asking.request({ ...question, response_nonce: "2026-08-01 10:00:00" });
  asking.request({ ...question, response_nonce: "1" });
  await settled();
  expect(said.splice(0)).toEqual(["answered"]);
  asking.request({ type_url: DEBUG_TYPE, resource_names: [] });
  sotw(connection()).request(question);
  await settled();
  expect(said).toEqual(["INVALID_ARGUMENT", "UNAUTHENTICATED"]);
});

test("Istio's types of questions: how proxies stand and what one is to run, of the namespaces that the caller may see", async () => {
  const types = {
    cluster: { status: "SYNCED", ackedAt: "2026-08-01T10:00:00.000Z" },
    listener: { status: "NACK", ackedAt: "", lastError: "no such filter", refusedAt: "2026-08-01T10:00:01.000Z" },
    route: { status: "NOT SENT", ackedAt: "" },
  };
  const status = { proxy: "web-1.shop", cluster_id: "west", istio_version: "1.2.3", types };
  const snapshot = Object.fromEntries(
    ["cluster", "listener", "endpoint", "route", "extension", "secret"].map((kind) => [kind, new Map()]),
  );
  const web = { ...stream("web-1.shop"), status: () => status, snapshot: () => snapshot } as unknown as XdsStream;
  const told = clientStatusResources(CLIENT_STATUS_TYPES.syncz, [], [web]) ?? [];
  // as it goes over the wire
  const [config] = told.map((each) => {
    const { typeUrl, bytes } = encodeAny(each);
    return decodeAny(typeUrl, bytes);
  });
  expect(config).toEqual({
    "@type": "type.googleapis.com/envoy.service.status.v3.ClientConfig",
    node: { id: "web-1.shop", metadata: { CLUSTER_ID: "west", ISTIO_VERSION: "1.2.3", NAMESPACE: "shop" } },
    generic_xds_configs: [
      {
        type_url: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        config_status: "SYNCED",
        last_updated: "2026-08-01T10:00:00Z",
      },
      {
        type_url: "type.googleapis.com/envoy.config.listener.v3.Listener",
        config_status: "ERROR",
        error_state: { details: "no such filter", last_update_attempt: "2026-08-01T10:00:01Z" },
      },
      { type_url: "type.googleapis.com/envoy.config.route.v3.RouteConfiguration", config_status: "NOT_SENT" },
    ],
  });
  const sections = clientStatusResources(CLIENT_STATUS_TYPES.configDump, ["web-1.shop"], [web]) ?? [];
  expect(sections.map((each) => typeOfUrl(encodeAny(each).typeUrl).split(".").at(-1))).toEqual([
    "ClustersConfigDump",
    "EndpointsConfigDump",
    "ListenersConfigDump",
    "RoutesConfigDump",
    "EcdsConfigDump",
    "SecretsConfigDump",
  ]);
  expect(clientStatusResources(CLIENT_STATUS_TYPES.configDump, ["api-1.shop"], [web])).toEqual([]);
  expect(clientStatusResources(DEBUG_TYPE, ["list"], [web])).toBeUndefined();
});
