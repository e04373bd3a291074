import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { load } from "../../../scripts/scenario/ask.ts";
import type { Scenario } from "../../../scripts/scenario/context.ts";
import { waitFor } from "../../support/wait.ts";
import { type ClusterPair, embeddedPair, shell, type Side } from "../../support/clusters/pair.ts";

// Two embedded clusters on two networks, each with a trust domain and a root of its own: strangers until each names the other's
// root for the other's trust domain, and strangers again when one takes it out. All commands look at both. Needs root.

const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
const CATALOG = "http://catalog.shop:8000/items";
const SIDES = ["east", "west"] as const;
const otherOf = (side: Side): Side => (side === "east" ? "west" : "east");

let pair: ClusterPair;
let contexts: Readonly<Record<Side, string>>;

/** What meshctl says of both clusters, whatever its exit code. */
async function both(
  ...args: readonly string[]
): Promise<{ readonly exitCode: number; readonly out: string; readonly err: string }> {
  const { kubeconfigs, env, work } = pair;
  const KUBECONFIG = `${kubeconfigs.east}:${kubeconfigs.west}`;
  const line = [join(root, "bin/meshctl.js"), ...args, "--contexts", contexts.east, "--remote-contexts", contexts.west];
  return run(process.execPath, line, { cwd: work, env: { ...env, KUBECONFIG }, maxBuffer: 1 << 26 }).then(
    ({ stdout, stderr }) => ({ exitCode: 0, out: stdout, err: stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      exitCode: error.code,
      out: error.stdout,
      err: error.stderr,
    }),
  );
}

const certificates = new Map<Side, string>();

/** The installation of a side; with the root of the other side's trust domain, or without. */
async function install(side: Side, trusts: boolean): Promise<void> {
  const other = otherOf(side);
  const pem = certificates.get(other) ?? "";
  const meshConfig = {
    trustDomain: `${side}.example`,
    trustDomainAliases: [`${other}.example`],
    caCertificates: trusts ? [{ pem, trustDomains: [`${other}.example`] }] : [],
  };
  // the local kubelet brings a ConfigMap into its pods within seconds
  const values = { pilot: { env: { MESHD_TRUST_DRAIN_DELAY: "10s" } } };
  const file = join(pair.work, `${side}.trust.yaml`);
  writeFileSync(
    file,
    JSON.stringify({ apiVersion: "install.istio.io/v1alpha1", kind: "IstioOperator", spec: { meshConfig, values } }),
  );
  const place = `$${side.toUpperCase()}`;
  await shell(pair, `meshctl install -y --kubeconfig ${place} -f samples/several-clusters/${side}.yaml -f ${file}`);
}

/** Requests of a cluster's client by status; those of the other cluster alone where its own pods are gone. */
async function ask(side: Side, requests: number): Promise<Readonly<Record<string, number>>> {
  const client = { namespace: "shop", app: "client" };
  const answer = await load({ cluster: pair.clusters[side] } as Scenario, client, { url: CATALOG, requests });
  return answer.status;
}

beforeAll(async () => {
  pair = await embeddedPair("gateways");
  const strict = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }`;
  for (const side of SIDES) {
    const place = `$${side.toUpperCase()}`;
    await shell(
      pair,
      `kubectl --kubeconfig ${place} create namespace istio-system
       kubectl --kubeconfig ${place} label namespace istio-system topology.istio.io/network=net-${side}`,
    );
    await install(side, false);
    await shell(
      pair,
      `kubectl --kubeconfig ${place} apply -f samples/several-clusters/gateway.yaml -f samples/shop/namespace.yaml
       kubectl --kubeconfig ${place} apply -f - <<'X'\n${strict}\nX
       kubectl --kubeconfig ${place} -n shop apply -f samples/shop/shop.yaml`,
    );
    const map = await pair.clusters[side].get({
      apiVersion: "v1",
      kind: "ConfigMap",
      namespace: "shop",
      name: "istio-ca-root-cert",
    });
    certificates.set(side, (map?.["data"] as Record<string, string> | undefined)?.["root-cert.pem"] ?? "");
  }
  await shell(
    pair,
    `meshctl create-remote-secret --kubeconfig $WEST --name west | kubectl --kubeconfig $EAST apply -f -
     meshctl create-remote-secret --kubeconfig $EAST --name east | kubectl --kubeconfig $WEST apply -f -
     kubectl --kubeconfig $EAST -n shop wait --for=condition=Available deploy --all --timeout=180s
     kubectl --kubeconfig $WEST -n shop wait --for=condition=Available deploy --all --timeout=180s
     kubectl --kubeconfig $EAST -n shop scale deploy/catalog-v1 deploy/catalog-v2 deploy/catalog-v3 --replicas=0`,
  );
  contexts = { east: pair.clusters.east.context.name, west: pair.clusters.west.context.name };
  expect(certificates.get("east")).toContain("BEGIN CERTIFICATE");
  expect(certificates.get("east")).not.toBe(certificates.get("west"));
}, 900_000);

afterAll(async () => {
  await pair?.stop();
}, 120_000);

test("different roots: calls to the other cluster fail, and mtls report and check say who distrusts whom", async () => {
  await waitFor(async () => ((await ask("east", 10))["503"] ?? 0) === 10, {
    what: "calls to be refused",
    timeoutMs: 60_000,
  });
  const { exitCode, out } = await both("mtls", "report", "-o", "json");
  expect(exitCode).toBe(1);
  const { mistrusted } = JSON.parse(out) as { mistrusted: { pods: string[]; refusedBy: string[] }[] };
  const within = (side: Side, names: readonly string[]): boolean =>
    names.length > 0 && names.every((name) => name.endsWith(` in ${side}`));
  expect(mistrusted.some(({ pods, refusedBy }) => within("east", pods) && within("west", refusedBy))).toBe(true);
  expect(mistrusted.some(({ pods, refusedBy }) => within("west", pods) && within("east", refusedBy))).toBe(true);
  const checked = await both("check", "--check", "cluster-roots");
  expect(checked.exitCode).toBe(1);
  expect(checked.out).toContain("no root of west is trusted here");
});

test("each takes the other's root for the other's trust domain: every call goes over, and nobody distrusts anybody", async () => {
  for (const side of SIDES) await install(side, true);
  await waitFor(async () => ((await ask("east", 20))["200"] ?? 0) === 20, {
    what: "calls to go over",
    timeoutMs: 90_000,
  });
  expect(await ask("east", 200)).toEqual({ 200: 200 });
  // calls go over once the two proxies have the roots; the others get them in their own time
  await waitFor(
    async () => {
      const { exitCode, out } = await both("mtls", "report", "-o", "json");
      const { mistrusted } = JSON.parse(out) as { mistrusted: unknown[] };
      return exitCode === 0 && mistrusted.length === 0;
    },
    { what: "every proxy to have both roots", timeoutMs: 90_000 },
  );
  expect((await both("check", "--check", "cluster-roots")).exitCode).toBe(0);
});

test("commands look at both clusters: proxies, the way of a request, edges, and a bug report of all", async () => {
  const status = await both("proxy-status", "--wait");
  expect(status.exitCode, status.out + status.err).toBe(0);
  const rows = status.out.split("\n").map((line) => line.split(/\s+/));
  for (const side of SIDES) expect(rows.filter(([, cluster]) => cluster === side).length).toBeGreaterThan(3);
  const route = await both("trace-route", "--from", "client-v1.shop", CATALOG);
  expect(route.out, route.err).toMatch(/chain of istio-eastwestgateway\S* in west: outbound_\.8000_\._\.catalog\.shop/);
  expect(route.out).toMatch(/✔ delivered to catalog-\S+ in west/);
  const sent = await both("trace-route", "--live", "-y", "--from", "client-v1.shop", CATALOG, "-o", "json");
  const { live } = JSON.parse(sent.out) as { live: { agrees: boolean; lines: { cluster?: string }[] } };
  expect(live.agrees, sent.out + sent.err).toBe(true);
  expect(live.lines.map(({ cluster }) => cluster)).toContain("west");
  const edges = await both("edges", "-n", "shop", "-o", "json");
  const { edges: found } = JSON.parse(edges.out) as {
    edges: { from: { workload: string }; to: { workload: string }; security: string }[];
  };
  const over = found.filter(({ from, to }) => from.workload.startsWith("client") && to.workload.startsWith("catalog"));
  expect(over.map(({ security }) => security)).toContain("mutual_tls");
  const made = await both("bug-report", "--tail", "50");
  expect(made.exitCode, made.err).toBe(0);
  const onBundle = (...args: readonly string[]): Promise<string> =>
    shell(pair, `meshctl ${args.join(" ")} --bundle bug-report.tar.gz`);
  expect(await onBundle("trace-route", "--from", "client-v1.shop", CATALOG)).toMatch(
    /✔ delivered to catalog-\S+ in west/,
  );
  expect((await onBundle("proxy-status")).split("\n").filter((line) => / west /.test(line)).length).toBeGreaterThan(3);
  expect(JSON.parse(await onBundle("remote-clusters", "-o", "json"))).toHaveLength(4);
});

test("the bundle taken out of one: refused again, clients that were connected before too", async () => {
  expect(await ask("east", 10)).toEqual({ 200: 10 });
  await install("west", false);
  await waitFor(async () => ((await ask("east", 10))["503"] ?? 0) === 10, {
    what: "calls to be refused again",
    timeoutMs: 90_000,
  });
});
