import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCluster } from "../../../src/kube/cluster.ts";
import { load, podOf } from "../../../scripts/scenario/ask.ts";
import type { Scenario } from "../../../scripts/scenario/context.ts";
import { waitFor } from "../../support/wait.ts";

// Two embedded clusters that reach only each other's load balancers, made one mesh by the commands of the guide; needs root.

const root = join(import.meta.dirname, "../../..");
const guide = readFileSync(join(root, "docs/guides/several-clusters.md"), "utf8");
const home = mkdtempSync(join(tmpdir(), "several-clusters-"));
const env = { ...process.env, HOME: home, XDG_STATE_HOME: join(home, "state") };
const kubeconfig = (number: number): string => join(home, `state/meshctl/mesh-${number}/kubeconfig`);
const CATALOG = "http://catalog.shop:8000/items";

/** Runs shell lines as the guide has them. */
function shell(lines: string): string {
  const functions = `meshctl() { "${process.execPath}" "${root}/bin/meshctl.js" "$@"; }`;
  const places = `EAST=${kubeconfig(1)} WEST=${kubeconfig(2)}`;
  const script = `set -eo pipefail; cd ${home}; ln -sfn ${root}/samples samples; ${functions}; ${places}\n${lines}`;
  return execFileSync("bash", ["-c", script], { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** The guide's code blocks, in order. */
const blocks = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

const clusters = new Map<number, Scenario["cluster"]>();
const client = { namespace: "shop", app: "client" };

/** Who answered requests of one cluster's client: pods by name, with how often. */
async function ask(number: number, requests: number): Promise<Readonly<Record<string, number>>> {
  const answer = await load({ cluster: clusters.get(number) } as Scenario, client, { url: CATALOG, requests });
  expect(answer.status).toEqual({ 200: requests });
  return (answer as unknown as { readonly pod: Readonly<Record<string, number>> }).pod;
}

/** Names of a cluster's catalog pods. */
async function catalogs(number: number): Promise<ReadonlySet<string>> {
  const pods = await clusters
    .get(number)
    ?.list({ apiVersion: "v1", kind: "Pod" }, { namespace: "shop", labelSelector: "app=catalog" });
  return new Set((pods ?? []).map(({ metadata }) => metadata.name));
}

const share = (answers: Readonly<Record<string, number>>, pods: ReadonlySet<string>): number =>
  Object.entries(answers).reduce((sum, [pod, count]) => sum + (pods.has(pod) ? count : 0), 0);

beforeAll(async () => {
  for (const block of blocks) shell(block.replace(/^export EAST.*$/m, ""));
  for (const place of ["$EAST", "$WEST"])
    shell(
      `kubectl --kubeconfig ${place} apply -f samples/shop/namespace.yaml; kubectl --kubeconfig ${place} -n shop apply -f samples/shop/shop.yaml
       kubectl --kubeconfig ${place} -n shop wait --for=condition=Available deploy --all --timeout=120s`,
    );
  for (const number of [1, 2]) clusters.set(number, await openCluster({ kubeconfig: kubeconfig(number), env: {} }));
}, 600_000);

afterAll(() => {
  shell("meshctl down");
  rmSync(home, { recursive: true, force: true });
});

test("calls of both clusters go to pods of both, through the gateways alone", async () => {
  for (const number of [1, 2]) {
    const other = await catalogs(3 - number);
    await waitFor(async () => share(await ask(number, 20), other) > 0, {
      what: "an answer from the other cluster",
      timeoutMs: 30_000,
    });
    const answers = await ask(number, 200);
    expect(share(answers, other)).toBeGreaterThan(60);
    expect(share(answers, await catalogs(number))).toBeGreaterThan(60);
  }
  const pod = await podOf({ cluster: clusters.get(1) } as Scenario, client.namespace, client.app);
  const endpoints = shell(
    `meshctl proxy-config endpoint --kubeconfig $EAST -n shop ${pod.metadata.name} --cluster 'outbound|8000||catalog.shop.svc.cluster.local'`,
  );
  expect(endpoints).toMatch(/^10\.9\d\.\d+\.\d+:15443 /m);
});

test("pods of the own cluster go: all calls go over, and come back with them", async () => {
  const scale = (replicas: number): string =>
    shell(
      `kubectl --kubeconfig $EAST -n shop scale deploy/catalog-v1 deploy/catalog-v2 deploy/catalog-v3 --replicas=${replicas}`,
    );
  scale(0);
  const other = await catalogs(2);
  await waitFor(async () => share(await ask(1, 20), other) === 20, { what: "all calls to go over", timeoutMs: 30_000 });
  scale(1);
  await waitFor(async () => share(await ask(1, 20), await catalogs(1)) > 0, {
    what: "calls to come back",
    timeoutMs: 60_000,
  });
});

test("a remote secret is removed: within two seconds nothing goes there any more", async () => {
  shell("kubectl --kubeconfig $EAST -n istio-system delete secret istio-remote-secret-west");
  const from = performance.now();
  const other = await catalogs(2);
  await waitFor(async () => share(await ask(1, 20), other) === 0, { what: "no call to go over" });
  expect(performance.now() - from).toBeLessThan(2_000);
});
