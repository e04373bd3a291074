import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CATALOG, type Mesh, meshOf, scale, SIDES } from "../../support/clusters/mesh.ts";
import { embeddedPair } from "../../support/clusters/pair.ts";
import { waitFor } from "../../support/wait.ts";

// Cluster west has no control plane: its agents, Envoys and API server reach meshd of east through the gateway between the networks,
// by the commands of the guide. Two embedded clusters whose pods do not reach each other; needs root.

const root = join(import.meta.dirname, "../../..");
const guide = readFileSync(join(root, "docs/guides/cluster-without-control-plane.md"), "utf8");
const [section = ""] = guide.split("## A control plane outside");
/** The section's shell blocks; the first starts the clusters. */
const [, ...blocks] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

let mesh: Mesh;

beforeAll(async () => {
  mesh = meshOf(await embeddedPair("gateways"));
  expect(blocks).toHaveLength(3);
  for (const block of blocks) await mesh.shell(block);
  for (const side of SIDES)
    await mesh.shell(
      `export KUBECONFIG=$${side.toUpperCase()}
       kubectl apply -f samples/shop/namespace.yaml; kubectl -n shop apply -f samples/shop/shop.yaml
       kubectl -n shop wait --for=condition=Available deploy --all --timeout=180s`,
    );
}, 600_000);

afterAll(async () => {
  await mesh?.stop();
});

/** Waits until requests of a cluster's client go to pods of both. */
async function untilBoth(side: "east" | "west"): Promise<void> {
  await waitFor(
    async () => {
      const { own, other } = await mesh.shares(side, 20);
      return own > 0 && other > 0;
    },
    { what: `${side} to call both`, timeoutMs: 60_000 },
  );
}

test("west runs no control plane, and its proxies have what meshd of east gives them", async () => {
  const pods = await mesh.shell("kubectl --kubeconfig $WEST get pods -A -o name");
  expect(pods).toContain("pod/istio-eastwestgateway-");
  expect(pods).not.toContain("istiod");
  const status = await mesh.shell("meshctl proxy-status --kubeconfig $EAST");
  for (const side of SIDES)
    expect(status).toMatch(new RegExp(`^client-\\S+ +${side} .* SYNCED +SYNCED +SYNCED +SYNCED`, "m"));
  expect(status).not.toContain("STALE");
  expect(await mesh.shell("meshctl remote-clusters --kubeconfig $EAST")).toMatch(/^west +\S+ +synced/m);
});

test("calls of both clusters go to pods of both, and shift while one has none", async () => {
  for (const side of SIDES) {
    await untilBoth(side);
    const { own, other } = await mesh.shares(side, 200);
    expect(Math.min(own, other), side).toBeGreaterThan(60);
  }
  await mesh.shell(scale("west", 0));
  await waitFor(async () => (await mesh.shares("west", 20)).other === 20, {
    what: "all to go over",
    timeoutMs: 60_000,
  });
  await mesh.shell(scale("west", 1));
  await untilBoth("west");
});

test("a rule that is written in east holds for callers in west", async () => {
  const rule = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: teapot, namespace: shop }
spec:
  hosts: [catalog]
  http: [{ directResponse: { status: 418 } }]`;
  await mesh.shell(`kubectl --kubeconfig $EAST apply -f - <<'X'\n${rule}\nX`);
  for (const side of SIDES)
    await waitFor(async () => (await mesh.load(side, { url: CATALOG, requests: 1 })).status[418] === 1, { what: side });
  await mesh.shell("kubectl --kubeconfig $EAST -n shop delete virtualservice teapot");
  for (const side of SIDES) await untilBoth(side);
});

test("the control plane starts anew under traffic of west: no request fails, and west follows it again", async () => {
  const asking = mesh.load("west", { url: CATALOG, seconds: 15, rate: 50 });
  await mesh.shell("kubectl --kubeconfig $EAST -n istio-system rollout restart deploy/istiod");
  await mesh.shell("kubectl --kubeconfig $EAST -n istio-system rollout status deploy/istiod --timeout=120s");
  const { status, error } = await asking;
  expect(error).toEqual({});
  expect(Object.keys(status)).toEqual(["200"]);
  await mesh.shell(scale("east", 0));
  await waitFor(async () => (await mesh.shares("west", 20)).other === 0, { what: "west to know", timeoutMs: 60_000 });
  await mesh.shell(scale("east", 1));
  await untilBoth("west");
});

test("west's API server away: no request fails in either cluster", async () => {
  const back = await mesh.endApiServer("west");
  try {
    for (const side of SIDES) {
      const { own, other } = await mesh.shares(side, 100);
      expect(Math.min(own, other), side).toBeGreaterThan(20);
    }
  } finally {
    await back();
  }
});
