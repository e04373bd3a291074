import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CATALOG, type Mesh, meshOf } from "../../support/clusters/mesh.ts";
import { embeddedPair } from "../../support/clusters/pair.ts";
import { waitFor } from "../../support/wait.ts";

// meshd runs in cluster east and works for cluster west alone, by the commands of the guide. Two embedded clusters whose pods do not
// reach each other; needs root.

const root = join(import.meta.dirname, "../../..");
const guide = readFileSync(join(root, "docs/guides/cluster-without-control-plane.md"), "utf8");
const [, section = ""] = guide.split("## A control plane outside");
const blocks = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

let mesh: Mesh;

beforeAll(async () => {
  mesh = meshOf(await embeddedPair("gateways"));
  expect(blocks).toHaveLength(3);
  for (const block of blocks) await mesh.shell(block);
  await mesh.shell(
    `export KUBECONFIG=$WEST
     kubectl apply -f samples/shop/namespace.yaml; kubectl -n shop apply -f samples/shop/shop.yaml
     kubectl -n shop wait --for=condition=Available deploy --all --timeout=180s`,
  );
}, 600_000);

afterAll(async () => {
  await mesh?.stop();
});

const proxies = (): Promise<string> =>
  mesh.shell("meshctl proxy-status --kubeconfig $EAST --istioNamespace external-istiod");

test("west has the mesh's objects and no control plane; its pods are injected and configured from outside", async () => {
  expect(await mesh.shell("kubectl --kubeconfig $WEST -n external-istiod get pods -o name")).toBe("");
  expect(
    await mesh.shell("kubectl --kubeconfig $WEST -n external-istiod get secret istio-ca-secret -o name"),
  ).toContain("istio-ca-secret");
  const status = await proxies();
  expect(status).toMatch(/^client-\S+ +served .* SYNCED +SYNCED +SYNCED +SYNCED/m);
  const checked = await mesh.shell(
    "meshctl check --kubeconfig $WEST --istioNamespace external-istiod --check control-plane-elsewhere",
  );
  expect(checked).toContain("✔ a cluster without a control plane is served by one elsewhere");
});

test("rules written in west hold there, and what is wrong is refused there", async () => {
  const rule = (http: string): string => `kubectl --kubeconfig $WEST apply -f - <<'X'
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: catalog, namespace: shop }
spec: { hosts: [catalog], http: [${http}] }
X`;
  const route = "{ route: [{ destination: { host: catalog } }] }";
  const answers = (status: number) => async (): Promise<boolean> =>
    (await mesh.load("west", { url: CATALOG, requests: 1 })).status[status] === 1;
  await mesh.shell(rule("{ directResponse: { status: 418 } }"));
  await waitFor(answers(418), { what: "the rule to hold" });
  await mesh.shell(rule(route));
  await waitFor(answers(200), { what: "the next rule to hold" });
  const wrong = `{ match: [{ uri: { regex: "(" } }], ${route.slice(1)}`;
  await expect(mesh.shell(rule(wrong))).rejects.toThrow(/admission webhook "validation.istio.io" denied/);
});

test("the control plane starts anew: it finds west's mesh as it was", async () => {
  const restart = "deploy/istiod -n external-istiod --kubeconfig $EAST";
  await mesh.shell(`kubectl rollout restart ${restart}; kubectl rollout status ${restart} --timeout=120s`);
  await waitFor(async () => /^client-\S+ +served .* SYNCED +SYNCED +SYNCED +SYNCED/m.test(await proxies()), {
    what: "west's proxies to be back",
    timeoutMs: 60_000,
  });
  await mesh.shell("kubectl --kubeconfig $WEST -n shop rollout restart deploy/client-v1");
  await mesh.shell("kubectl --kubeconfig $WEST -n shop rollout status deploy/client-v1 --timeout=120s");
  await mesh.ask("west", 20);
});
