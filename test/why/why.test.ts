import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import { hypotheses } from "../../src/why/hypotheses/order.ts";
import { fakeIo } from "../support/fake-io.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { readWhyCases } from "../support/why/case.ts";
import { readValues } from "../../src/resources/yaml-values.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { ClusterError } from "../../src/base/errors.ts";
import type { WhyResult } from "../../src/commands/why.ts";

const MESH = `apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop, labels: { app: web, security.istio.io/tlsMode: istio } }
spec: { containers: [{ name: app, image: x }, { name: istio-proxy, image: y }] }
status: { podIP: 10.1.0.5, phase: Running, conditions: [{ type: Ready, status: "True" }] }
---
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: shop }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 9080 }], clusterIP: 10.96.0.7 }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: shop, generation: 4 }
spec:
  hosts: [reviews]
  http:
    - match: [{ uri: { prefix: /old } }]
      route:
        - destination:
            host: reviews
            subset: v9
    - route: [{ destination: { host: reviews } }]
`;

const folder = mkdtempSync(join(tmpdir(), "why-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, "mesh.yaml"), MESH);

async function ask(line: readonly string[], options: Parameters<typeof fakeIo>[0] = {}) {
  const io = fakeIo({ cwd: folder, ...options });
  const parsed = parse(["why", ...line]);
  if (parsed.type !== "run") throw new Error(`${line.join(" ")} is not run`);
  const result = (await (await parsed.spec.load())(parsed.input, io)) as WhyResult;
  return { ...result, text: io.stdout(), err: io.stderr() };
}

// the first one loads every analyzer
test("a request that nobody sent: the object, the field, its line", { timeout: 120_000 }, async () => {
  const { text, exitCode } = await ask(["-f", "mesh.yaml", "--from", "web.shop", "http://reviews:9080/old"]);
  expect(text).toBe(`503 NC: GET reviews:9080/old, seen by web.shop
  because of VirtualService shop/reviews spec.http[0].route[0].destination.subset (mesh.yaml:22)
    the rule sends requests to subset v9 of reviews.shop.svc.cluster.local, which no DestinationRule defines
    - configuration of web.shop: status 503, flags NC, cluster_not_found
    - configuration of web.shop: the route leads to outbound|9080|v9|reviews.shop.svc.cluster.local, which is no cluster
    - configuration: there is no DestinationRule for reviews.shop.svc.cluster.local
    - analysis: IST0101: Referenced host+subset in destinationrule not found: "reviews+v9"
  fix: Add subset v9 to the DestinationRule of reviews.shop.svc.cluster.local, or name one of its subsets.
`);
  expect(exitCode).toBe(0);
});

test("nothing fails: 1", async () => {
  const objects = [...readValues(MESH)] as KubeObject[];
  const cluster = {
    ...fakeCluster({ objects, portForward: refuse }),
    version: async () => VERSION,
    logs: async () => "",
  };
  const { exitCode, text, err } = await ask(["web.shop"], { cluster });
  expect([exitCode, text, err.includes("Nothing failed")]).toEqual([1, "", true]);
});

const VERSION = { gitVersion: "v1.36.0", major: "1", minor: "36" };
const refuse = (): never => {
  throw new ClusterError("refused", "nothing listens there");
};
const LINE = JSON.stringify({
  start_time: "2026-11-21T06:59:00.000Z",
  method: "GET",
  path: "/",
  protocol: "HTTP/1.1",
  response_code: 503,
  response_flags: "UH",
  response_code_details: "no_healthy_upstream",
  authority: "reviews:9080",
  upstream_cluster: "outbound|9080||reviews.shop.svc.cluster.local",
  upstream_local_address: null,
  downstream_local_address: "10.96.0.7:9080",
  downstream_remote_address: "10.1.0.5:40000",
});

test("a line finds who wrote it, and what was changed before it", async () => {
  const istiod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "istiod-1", namespace: "istio-system", labels: { app: "istiod" } },
    status: { phase: "Running" },
  };
  const change = {
    kind: "Service",
    namespace: "shop",
    name: "reviews",
    type: "set",
    time: "2026-11-21T06:58:00.000Z",
    user: "ann",
  };
  const later = { ...change, time: "2026-11-21T06:59:30.000Z", user: "bob", generation: 2 };
  const objects = [...readValues(MESH), istiod] as KubeObject[];
  const cluster = {
    ...fakeCluster({ objects }),
    version: async () => VERSION,
    podHttp: async ({ pod }: { readonly pod: string }, { path }: { readonly path: string }) =>
      pod === "istiod-1" && path === "/debug/changes"
        ? { status: 200, body: JSON.stringify([change, later]) }
        : { status: 404, body: "" },
  };
  const { explained, exitCode } = await ask(["-"], { cluster, stdin: `2026-11-21T07:00:00Z stdout F ${LINE}\n` });
  expect(exitCode).toBe(0);
  expect(
    explained.map(({ proxy, causes }) => [proxy, causes[0]?.code, causes[0]?.object, causes[0]?.certainty]),
  ).toEqual([["web.shop", "selector-matches-nothing", "Service shop/reviews", "certain"]]);
  const changes = explained[0]?.causes[0]?.evidence.filter(({ from }) => from === "changes");
  expect(changes).toEqual([{ from: "changes", says: "it was written at 2026-11-21T06:58:00.000Z by ann" }]);
});

test("what is neither line, pod nor URL is refused", async () => {
  await expect(ask(["-f", "mesh.yaml", "no line at all"])).rejects.toThrow("expected a line of an access log");
  await expect(ask(["-f", "mesh.yaml", "http://reviews/"])).rejects.toThrow("expected --from");
});

test("each cause is set up for real, and has one family", () => {
  const folderOfCases = join(import.meta.dirname, "../e2e/envoy/why/cases");
  expect(readdirSync(folderOfCases).length).toBeGreaterThanOrEqual(50);
  const shown = new Set(readWhyCases(folderOfCases, "").map(({ why }) => why.cause));
  const codes = hypotheses.flatMap((one) => one.codes);
  expect(new Set(codes).size).toBe(codes.length);
  for (const code of codes) expect(shown.has(code), code).toBe(true);
  for (const code of shown) expect(codes, code).toContain(code);
});
