import { createServer, type Server } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trustBundlesIn } from "../../../src/agent/trust-bundles.ts";
import { check } from "../../../src/commands/checks/run.ts";
import { mistrusts, trustIn } from "../../../src/commands/mtls/trust.ts";
import {
  createTrustBundles,
  TRUST_BUNDLES_KEY,
  type TrustBundles,
  trustBundlesData,
} from "../../../src/controlplane/trust-bundles.ts";
import { createTrustRemovals, trustedOf } from "../../../src/controlplane/trust-removals.ts";
import type { Runner } from "../../../src/controlplane/runner.ts";
import { explicitPort } from "../../../src/base/explicit-port.ts";
import { type Ca, createRoot, issueServing } from "../../../src/pki/ca.ts";
import { issueAuthority } from "../../../src/pki/issue-authority.ts";
import { mergePem } from "../../../src/pki/trust-path.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { fakeCluster } from "../../support/fake-cluster.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { recordingLogger } from "../../support/controlplane/recorder.ts";
import { ask } from "../../support/traffic/ask.ts";
import { startBackend } from "../../support/traffic/backend.ts";
import { freePlaces } from "../../support/traffic/lab.ts";
import { meshObjects, type Places, PORTS } from "../../support/traffic/mesh-objects.ts";
import { type Plane, startPlane } from "../../support/traffic/plane.ts";
import { type MeshProxy, startMeshProxy } from "../../support/traffic/proxy.ts";
import { bundleOf, echo, endpointSlice, freshConnections, pump, strict } from "../../support/traffic/two-meshes.ts";
import { waitFor } from "../../support/wait.ts";

// Two meshes with an authority each, one knows the other's endpoints: a client in east calls a server in west under STRICT. What
// meshd writes for agents is handed to the agents' own code, which tells real Envoys whom to trust.

const HOUR = 3_600_000;
const validity = { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + HOUR) };

interface Side {
  readonly plane: Plane;
  readonly bundles: TrustBundles;
  readonly removals: Runner;
  readonly proxy: MeshProxy;
  readonly log: ReturnType<typeof recordingLogger>;
  /** The authority that its workloads' certificates are of. */
  ca: Ca;
}

/** How long these Envoys let connections stay at chains that were replaced; 45 seconds elsewhere. */
const DRAIN_S = 2;

let root: Ca;
let other: Ca;
let places: Places;
let east: Side;
let west: Side;
let app: { close(): void };
let endpoint: Server;
let bundle = "";
let serving: Awaited<ReturnType<typeof issueServing>>;

beforeAll(async () => {
  root = await createRoot("cluster.local", validity, { commonName: "root of east" });
  other = await createRoot("cluster.local", validity, { commonName: "root of west" });
  places = await freePlaces();
  serving = await issueServing(root, { dns: ["localhost"], ips: ["127.0.0.1"] }, validity);
  endpoint = createServer({ cert: serving.certificate, key: serving.key.pem() }, (_, response) => response.end(bundle));
  await new Promise<void>((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
  const authority = (commonName: string): Promise<Ca> =>
    issueAuthority(root, { trustDomain: "cluster.local", commonName, kind: "ecdsa", validity });
  west = await side("v1", await authority("west"), [...echo("10.96.1.2"), endpointSlice(`${places.v1}.0.1`), strict()]);
  east = await side("client", await authority("east"), [...echo("10.96.1.1"), freshConnections()]);
  east.plane.state.remotes.set("west", west.plane.state.world);
  app = await startBackend({
    who: "v1",
    host: `${places.v1}.0.2`,
    ports: [PORTS.http],
    greeting: PORTS.greeting,
    tls: { ports: [], certificate: serving.certificate, key: serving.key.pem() },
    turns: new Map(),
    onRequest: () => undefined,
  });
}, 60_000);

afterAll(async () => {
  for (const one of [east, west]) {
    await one?.removals.close();
    one?.bundles.close();
    await one?.proxy.stop();
    await one?.plane.close();
  }
  app?.close();
  endpoint?.close();
});

/** A control plane of an authority and one proxy. */
async function side(name: "client" | "v1", ca: Ca, objects: readonly KubeObject[]): Promise<Side> {
  const plane = await startPlane([...meshObjects(places), ...objects], { ca });
  const log = recordingLogger();
  const bundles = createTrustBundles({
    derivations: plane.state.derivations,
    meshConfig: () => plane.state.mesh.model.meshConfig(),
    limits: { allowed: ["127.0.0.0/8"], blocked: [], roots: [root.certificate] },
    log,
    refreshMs: 200,
  });
  const { world, derivations, trustSince } = plane.state;
  const stored = async (object: KubeObject): Promise<KubeObject> => {
    world.apply([{ type: "set", object }]);
    return object;
  };
  const removals = createTrustRemovals({
    cluster: {
      create: stored,
      mergePatch: ({ name: map, namespace = "" }, { data }) =>
        stored({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: map, namespace }, data } as KubeObject),
    },
    world,
    derivations,
    namespace: "istio-system",
    revision: "default",
    trusted: () => trustedOf({ own: mergePem(made.ca.roots, bundles.everywhere()), federated: bundles.federated() }),
    trustSince,
    delayMs: 200,
    isLeader: () => true,
    now: Date.now,
    log,
  });
  const proxy = await startMeshProxy(plane, name, { prefix: places[name], drainSeconds: DRAIN_S });
  const made: Side = { plane, bundles, removals, proxy, log, ca };
  await removals.start();
  return made;
}

/** What meshd's ConfigMap says of trust, taken by the agent. */
function spread({ plane, bundles, proxy, ca }: Side): void {
  const data = trustBundlesData(plane.state.mesh.model.meshConfig(), bundles.federated(), undefined);
  proxy.trust({
    roots: mergePem(ca.roots, bundles.everywhere()),
    bundles: trustBundlesIn(data[TRUST_BUNDLES_KEY] ?? ""),
  });
}

/** Gives a mesh another configuration, and what follows from it to its proxy. */
function configure(of: Side, mesh: Readonly<Record<string, unknown>>): void {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio", namespace: "istio-system" } };
  of.plane.state.world.apply([
    { type: "set", object: { ...object, data: { mesh: JSON.stringify(mesh) } } as KubeObject },
  ]);
  spread(of);
}

/** Takes another authority, and certificates of it in the trust domain of the mesh. */
async function sign(of: Side, ca: Ca): Promise<void> {
  of.ca = ca;
  await of.proxy.identify({ ca });
  spread(of);
}

/** Status of a call from east to west. */
async function call(): Promise<number> {
  const target = { host: `${places.client}.1.1`, port: explicitPort(80), authority: "echo.servers" };
  const answer = await ask(target, { path: "/" } as Parameters<typeof ask>[1], {}).catch(() => undefined);
  return answer?.status ?? 0;
}

const until = (status: number, what: string): Promise<unknown> =>
  waitFor(async () => (await call()) === status, { what, timeoutMs: 20_000 });

/** Handshakes that the server refused for the certificate that was shown. */
async function refused(): Promise<number> {
  const stats = await west.proxy.admin("/stats?filter=ssl.fail_verify_(error|san)$");
  return [...stats.matchAll(/: (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Handshakes that west's server did. */
async function handshakes(): Promise<number> {
  return sumOf(await west.proxy.admin("/stats?filter=^listener.*ssl.handshake$"));
}

/** Connections from east that stand at west's server. */
async function connections(): Promise<number> {
  return sumOf(await west.proxy.admin("/stats?filter=^http.inbound.*downstream_cx_ssl_active$"));
}

function sumOf(stats: string): number {
  return [...stats.matchAll(/: (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function trusted() {
  const dumps = [east, west].map(async ({ proxy }, index) =>
    trustIn(
      index === 0 ? "client.traffic" : "v1.servers",
      JSON.parse(await proxy.admin("/config_dump?resource=dynamic_active_secrets")),
    ),
  );
  return Promise.all(dumps);
}

/** Whom west lets in. */
function allow(principal: string): void {
  const object = {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "callers", namespace: "servers" },
    spec: { rules: [{ from: [{ source: { principals: [principal] } }] }] },
  };
  west.plane.state.world.apply([{ type: "set", object: object as KubeObject }]);
}

const EAST = { trustDomain: "east.example", trustDomainAliases: ["west.example"] };
const WEST = { trustDomain: "west.example", trustDomainAliases: [] };

test("two authorities below one root: calls go over, and nobody distrusts anybody", async () => {
  await until(200, "a call from east to west");
  const held = await trusted();
  expect(held.map(({ chain }) => /CN=(\w+)/.exec(chain[0]?.issuer ?? "")?.[1])).toEqual(["east", "west"]);
  expect(mistrusts(held)).toEqual([]);
});

test("west takes a root of its own: calls are refused, and the proxies' secrets say who distrusts whom", async () => {
  await sign(west, other);
  await until(503, "the call to be refused");
  const found = mistrusts(await trusted()).map(({ pods, refusedBy }) => ({ pods, refusedBy }));
  expect(found).toEqual([
    { pods: ["client.traffic"], refusedBy: ["v1.servers"] },
    { pods: ["v1.servers"], refusedBy: ["client.traffic"] },
  ]);
});

test("each takes the other's root for everybody: calls go over; taken out again they are refused", async () => {
  configure(east, { caCertificates: [{ pem: other.certificate }] });
  configure(west, { caCertificates: [{ pem: root.certificate }] });
  await until(200, "a call with roots of both");
  expect(mistrusts(await trusted())).toEqual([]);
  configure(west, {});
  await until(503, "the call to be refused again");
});

test("different trust domains, each other's root for each other's identities alone: calls go over, policies know both names", async () => {
  configure(east, { ...EAST, caCertificates: [{ pem: other.certificate, trustDomains: ["west.example"] }] });
  configure(west, { ...WEST, caCertificates: [{ pem: root.certificate, trustDomains: ["east.example"] }] });
  await sign(east, east.ca);
  await sign(west, other);
  await until(200, "a call from east.example to west.example");
  expect(mistrusts(await trusted())).toEqual([]);
  allow("west.example/ns/traffic/sa/client");
  await until(403, "a policy for the same name in west to refuse");
  allow("east.example/ns/traffic/sa/client");
  await until(200, "a policy for the name in east to let in");
});

test("a root taken back ends connections that stand, at either end, busy or idle; one that is added ends none", async () => {
  const trusting = (...roots: readonly Ca[]) =>
    roots.map(({ certificate: pem }) => ({ pem, trustDomains: ["east.example"] }));
  const shed = (): readonly string[] =>
    west.log.lines.map(({ message }) => message).filter((message) => message.startsWith("less is trusted"));
  const metadata = { name: "echo", namespace: "traffic" };
  const fresh = { apiVersion: "networking.istio.io/v1", kind: "DestinationRule", metadata } as KubeObject;
  east.plane.state.world.apply([{ type: "delete", object: fresh }]);
  await waitFor(
    async () => {
      const before = await handshakes();
      for (let count = 0; count < 10; count += 1) if ((await call()) !== 200) return false;
      return (await handshakes()) === before;
    },
    { what: "calls over a connection that stands" },
  );
  const [made, said] = [await handshakes(), shed().length];
  const third = await createRoot("cluster.local", validity, { commonName: "root of a third" });
  configure(west, { ...WEST, caCertificates: trusting(root, third) });
  await waitFor(async () => (await trusted())[1]?.roots.length === 3, { what: "the third root at west's server" });
  for (let count = 0; count < 10; count += 1) expect(await call()).toBe(200);
  expect(await handshakes()).toBe(made);
  expect(shed()).toHaveLength(said);

  // who is still trusted is moved to another connection, and loses no request
  configure(west, { ...WEST, caCertificates: trusting(root) });
  await waitFor(() => shed().length === said + 1, { what: "the drain" });
  const over = performance.now() + (DRAIN_S + 1) * 1_000;
  const statuses = new Set<number>();
  while (performance.now() < over) statuses.add(await call());
  expect([...statuses]).toEqual([200]);
  expect(await handshakes()).toBeGreaterThan(made);

  configure(west, { ...WEST, caCertificates: trusting(third) });
  await until(503, "the server to let the connection go, and no other in");
  expect(shed()).toHaveLength(said + 2);
  configure(west, { ...WEST, caCertificates: trusting(root) });
  await until(200, "calls again");
  await waitFor(async () => (await connections()) > 0, { what: "a connection that stands" });
  configure(west, { ...WEST, caCertificates: [] });
  await waitFor(async () => (await connections()) === 0, {
    what: "the idle connection to end with the chain's drain",
    timeoutMs: DRAIN_S * 1_000 + 15_000,
  });
  configure(west, { ...WEST, caCertificates: trusting(root) });
  await until(200, "calls again");
  configure(east, EAST);
  await until(503, "the client to leave a server whose root it trusts no more");
  configure(east, { ...EAST, caCertificates: [{ pem: other.certificate, trustDomains: ["west.example"] }] });
  await until(200, "calls again");
  east.plane.state.world.apply([{ type: "set", object: freshConnections() }]);
}, 120_000);

test("an authority that is trusted for its own trust domain cannot make identities of another", async () => {
  const before = await refused();
  await east.proxy.identify({ ca: other, trustDomain: "east.example" });
  await until(503, "east's name by west's authority to be refused");
  expect(await refused()).toBeGreaterThan(before);
  await east.proxy.identify({ ca: root, trustDomain: "west.example" });
  const then = await refused();
  await waitFor(async () => (await call()) === 503 && (await refused()) > then, {
    what: "west's name by east's root to be refused",
  });
  await east.proxy.identify({ ca: east.ca, trustDomain: "east.example" });
  await until(200, "its own name to be taken again");
});

test("a bundle by its address: taken when it is there, kept while it is away, followed when it changes", async () => {
  const url = `https://127.0.0.1:${(endpoint.address() as AddressInfo).port}/bundle`;
  bundle = bundleOf(other);
  const unfollow = west.plane.state.derivations.effect(() => {
    west.bundles.federated();
    spread(west);
  });
  configure(west, { ...WEST, caCertificates: [{ spiffeBundleUrl: url, trustDomains: ["east.example"] }] });
  await until(503, "a bundle without east's root to refuse");
  bundle = bundleOf(other, root);
  await until(200, "the bundle with east's root");
  bundle = "away";
  await waitFor(() => west.log.lines.some(({ message }) => message.includes("trust bundle could not be fetched")), {
    what: "word of a bundle that cannot be read",
  });
  expect(await call()).toBe(200);
  bundle = bundleOf(other);
  await until(503, "east's root to be gone from the bundle");
  configure(west, {
    ...WEST,
    caCertificates: [{ spiffeBundleUrl: url.replace("https", "http"), trustDomains: ["east.example"] }],
  });
  expect(west.log.lines.map(({ message }) => message)).toContain(
    "a trust bundle is fetched by https alone; this one is not",
  );
  unfollow();
});

test("precheck: a balancer that passes TLS on shows the server's identity; one that ends it is refused, with its certificate's name", async () => {
  const name = "outbound_.80_._.echo.servers.svc.cluster.local";
  const passing = createTcpServer((client) => pump(client, connect(explicitPort(PORTS.http), `${places.v1}.0.1`)));
  const ending = createTlsServer(
    { cert: serving.certificate, key: serving.key.pem(), ALPNProtocols: ["istio"] },
    (client) =>
      pump(
        client,
        connectTls({
          host: `${places.v1}.0.1`,
          port: explicitPort(PORTS.http),
          servername: name,
          rejectUnauthorized: false,
        }),
      ),
  );
  const listening = async (server: TcpServer): Promise<number> => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  };
  const ports = [await listening(passing), await listening(ending)];
  const checked = async (port: number) => {
    const labels = { "topology.istio.io/network": "net-west", "networking.istio.io/gatewayPort": String(port) };
    const metadata = { name: "eastwest", namespace: "istio-system", labels };
    const spec = { externalIPs: ["127.0.0.1"], ports: [{ name: "tls", port }] };
    const gateway = { apiVersion: "v1", kind: "Service", metadata, spec } as KubeObject;
    const pods = meshObjects(places).filter(({ kind }) => kind === "Pod");
    const cluster = fakeCluster({ objects: [gateway, ...pods, ...echo("10.96.1.2")] });
    const options = {
      istioNamespace: "istio-system",
      output: "json",
      checks: ["network-gateway-tls"],
      external: false,
    } as const;
    return (await check("before", options, fakeIo({ cluster }))).checks[0];
  };
  try {
    expect(await checked(ports[0] ?? 0)).toMatchObject({ status: "ok" });
    expect(await checked(ports[1] ?? 0)).toMatchObject({
      status: "error",
      message: "Service istio-system/eastwest: something before it ends TLS, with a certificate of its own (O=mesh)",
    });
  } finally {
    passing.close();
    ending.close();
  }
});
