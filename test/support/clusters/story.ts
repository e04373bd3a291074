import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { metrics, podOf } from "../../../scripts/scenario/ask.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import type { Scenario } from "../../../scripts/scenario/context.ts";
import { waitFor } from "../wait.ts";
import { apply, CATALOG, makeMesh, type Mesh, meshOf, otherOf, scale, SIDES } from "./mesh.ts";
import type { ClusterPair, Side } from "./pair.ts";
import { sharedTests } from "./story-shared.ts";

// What one mesh over two clusters does, written once for every kind of cluster.

/** Registers the tests, and `more` before the last ones; the pair is started first and stopped last. */
export function severalClusters(
  title: string,
  start: () => Promise<ClusterPair>,
  more: (mesh: () => Mesh) => void = () => undefined,
): void {
  describe(title, () => {
    let mesh: Mesh;
    beforeAll(async () => {
      mesh = meshOf(await start());
      await makeMesh(mesh);
    }, 600_000);
    afterAll(() => mesh?.stop(), 120_000);
    callsTests(() => mesh);
    describe("rules", () => ruleTests(() => mesh));
    awayTests(() => mesh);
    more(() => mesh);
    leavingTests(() => mesh);
    sharedTests(() => mesh);
  });
}

function callsTests(mesh: () => Mesh): void {
  test("calls of both clusters go to pods of both", async () => {
    for (const side of SIDES) {
      await waitFor(async () => (await mesh().shares(side, 20)).other > 0, {
        what: `an answer for ${side} from the other cluster`,
        timeoutMs: 60_000,
      });
      const { own, other } = await mesh().shares(side, 200);
      expect(other).toBeGreaterThan(60);
      expect(own).toBeGreaterThan(60);
    }
  });

  test("over mutual TLS, and the other side knows which cluster the caller is of", async () => {
    const { clusters, shell: run } = mesh();
    const strict = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }`;
    for (const side of SIDES) await run(`kubectl --kubeconfig $${side.toUpperCase()} apply -f - <<'X'\n${strict}\nX`);
    for (const side of SIDES) {
      const other = otherOf(side);
      expect((await mesh().shares(side, 100)).other).toBeGreaterThan(20);
      const scenario = { cluster: clusters[other] } as Scenario;
      const catalogs = await scenario.cluster.list(
        { apiVersion: "v1", kind: "Pod" },
        { namespace: "shop", labelSelector: "app=catalog" },
      );
      const parts = ['reporter="destination"', 'source_workload="client-v1"', `source_cluster="${side}"`];
      // a gateway between networks chooses one of them for each connection, of which a client has two
      const lines = await waitFor(
        async () => {
          const found = await Promise.all(
            catalogs.map(({ metadata: { name } }) =>
              metrics(scenario, { namespace: "shop", name }, "istio_requests_total", parts),
            ),
          );
          return found.flat().length > 0 ? found.flat() : undefined;
        },
        { what: `requests of ${side} counted in ${other}`, timeoutMs: 30_000 },
      );
      for (const line of lines) {
        expect(line).toContain('connection_security_policy="mutual_tls"');
        expect(line).toContain('source_principal="spiffe://cluster.local/ns/shop/sa/client"');
      }
    }
  });

  test("endpoints of the other cluster are its pods on one network, its gateway on two", async () => {
    const { clusters, reach, shell: run, catalogs } = mesh();
    const pod = await podOf({ cluster: clusters.east } as Scenario, "shop", "client");
    const endpoints = await run(
      `meshctl proxy-config endpoint --kubeconfig $EAST -n shop ${pod.metadata.name} --cluster 'outbound|8000||catalog.shop.svc.cluster.local'`,
    );
    const lines = endpoints.split("\n").filter((line) => /^\d/.test(line));
    const through = lines.filter((line) => /^[\d.]+:15443 /.test(line));
    const all = (await catalogs("east")).size + (await catalogs("west")).size;
    expect(through).toHaveLength(reach === "gateways" ? 1 : 0);
    expect(lines).toHaveLength(reach === "gateways" ? (await catalogs("east")).size + 1 : all);
  });
}

function ruleTests(mesh: () => Mesh): void {
  afterEach(async () => {
    for (const place of ["$EAST", "$WEST"])
      await mesh().shell(
        `kubectl --kubeconfig ${place} -n shop delete virtualservice/catalog destinationrule/catalog --ignore-not-found`,
      );
  });

  test("90 of 100 requests to one cluster, 10 to the other, by subsets of the label topology.istio.io/cluster", async () => {
    const rules = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: catalog, namespace: shop }
spec:
  host: catalog.shop.svc.cluster.local
  subsets:
    - { name: east, labels: { topology.istio.io/cluster: east } }
    - { name: west, labels: { topology.istio.io/cluster: west } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: catalog, namespace: shop }
spec:
  hosts: [catalog.shop.svc.cluster.local]
  http:
    - route:
        - { weight: 90, destination: { host: catalog.shop.svc.cluster.local, subset: east } }
        - { weight: 10, destination: { host: catalog.shop.svc.cluster.local, subset: west } }`;
    // a gateway between networks knows the subsets of its own cluster's rules: as a mesh is used, both have them
    await apply(mesh(), rules);
    await waitFor(async () => (await mesh().shares("east", 100)).other < 30, {
      what: "the weights to hold",
      timeoutMs: 30_000,
    });
    const { other } = await mesh().shares("east", 2_000);
    // 200, give or take four and a half standard deviations
    expect(other).toBeGreaterThan(140);
    expect(other).toBeLessThan(260);
  });

  test("by locality all calls stay in the caller's region, go over when nobody is there, and come back", async () => {
    const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: catalog, namespace: shop }
spec:
  host: catalog.shop.svc.cluster.local
  trafficPolicy:
    outlierDetection: { consecutive5xxErrors: 5, interval: 1s, baseEjectionTime: 3s }`;
    const { shell: run, shares } = mesh();
    const restart = "-n shop rollout restart deploy/client-v1";
    for (const side of SIDES)
      await run(
        `export KUBECONFIG=$${side.toUpperCase()}
         kubectl label node --all topology.kubernetes.io/region=${side} topology.kubernetes.io/zone=${side}-a
         kubectl ${restart}; kubectl -n shop rollout status deploy/client-v1 --timeout=120s`,
      );
    await apply(mesh(), rule);
    await waitFor(async () => (await shares("east", 50)).other === 0, {
      what: "calls to stay in the region",
      timeoutMs: 60_000,
    });
    expect(await shares("east", 300)).toEqual({ own: 300, other: 0 });
    await run(scale("east", 0));
    await waitFor(async () => (await shares("east", 50)).own === 0, { what: "all to go over", timeoutMs: 60_000 });
    expect(await shares("east", 300)).toEqual({ own: 0, other: 300 });
    await run(scale("east", 1));
    await waitFor(async () => (await shares("east", 50)).other === 0, { what: "all to come back", timeoutMs: 90_000 });
    expect(await shares("east", 300)).toEqual({ own: 300, other: 0 });
  });
}

interface Status {
  readonly name: string;
  readonly status: string;
}

function awayTests(mesh: () => Mesh): void {
  const standing = async (id: Side): Promise<string | undefined> => {
    // its exit code is 1 while something is not as it should be
    const text = await mesh().shell("meshctl remote-clusters --kubeconfig $EAST -o json || true");
    return (JSON.parse(text) as readonly Status[]).find(({ name }) => name === id)?.status;
  };

  test("pods of the own cluster go under traffic: calls go over, none fails, and come back with them", async () => {
    const { shell: run, shares } = mesh();
    await waitFor(async () => (await shares("east", 50)).other > 0, { what: "both to be called", timeoutMs: 60_000 });
    const traffic = mesh().load("east", { url: CATALOG, seconds: 15, rate: 50, concurrency: 4 });
    await run(scale("east", 0));
    await waitFor(async () => (await shares("east", 20)).own === 0, { what: "all to go over", timeoutMs: 60_000 });
    await run(scale("east", 1));
    await waitFor(async () => (await shares("east", 20)).own > 0, { what: "calls to come back", timeoutMs: 90_000 });
    const { requests, status, error } = await traffic;
    expect({ status, error }).toEqual({ status: { 200: requests }, error: {} });
  });

  test("the API server of one cluster is killed under traffic: no request fails, and it is said; back again, it is followed", async () => {
    const { shell: run, shares } = mesh();
    const traffic = mesh().load("east", { url: CATALOG, seconds: 12, rate: 100, concurrency: 4 });
    const bringBack = await mesh().endApiServer("west");
    await waitFor(async () => (await standing("west")) === "away", {
      what: "the control plane to say so",
      timeoutMs: 60_000,
    });
    const { requests, status, error } = await traffic;
    expect({ status, error }).toEqual({ status: { 200: requests }, error: {} });
    expect(requests).toBeGreaterThan(800);
    expect((await shares("east", 200)).other).toBeGreaterThan(40);
    await bringBack();
    await waitFor(async () => (await standing("west")) === "synced", { what: "it to be back", timeoutMs: 60_000 });
    await waitFor(() => run(scale("west", 0)), { what: "its API server to answer us", timeoutMs: 60_000 });
    await waitFor(async () => (await shares("east", 20)).other === 0, {
      what: "its pods to be gone here too",
      timeoutMs: 60_000,
    });
    await run(scale("west", 1));
    await waitFor(async () => (await shares("east", 20)).other > 0, { what: "them to be back", timeoutMs: 90_000 });
  });
}

function leavingTests(mesh: () => Mesh): void {
  test("a remote secret is removed: within two seconds nothing goes there any more; it is back, and so are the calls", async () => {
    const secret = await mesh().shell(
      "kubectl --kubeconfig $EAST -n istio-system get secret istio-remote-secret-west -o json",
    );
    await mesh().shell("kubectl --kubeconfig $EAST -n istio-system delete secret istio-remote-secret-west");
    const from = performance.now();
    await waitFor(async () => (await mesh().shares("east", 20)).other === 0, { what: "no call to go over" });
    expect(performance.now() - from).toBeLessThan(2_000);
    const { data, metadata } = JSON.parse(secret) as KubeObject & { readonly data: unknown };
    const { name, namespace, labels } = metadata;
    await mesh().clusters.east.apply(
      { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, labels }, data } as KubeObject,
      { fieldManager: "test", force: true },
    );
    await waitFor(async () => (await mesh().shares("east", 20)).other > 0, {
      what: "calls to go over again",
      timeoutMs: 30_000,
    });
  });
}
