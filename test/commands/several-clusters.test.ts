import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withMesh } from "../../src/cli-mesh.ts";
import { run as analyze } from "../../src/commands/analyze.ts";
import { run as authzCheck } from "../../src/commands/authz/check.ts";
import { run as bugReport } from "../../src/commands/bug-report.ts";
import { run as check } from "../../src/commands/check.ts";
import { fromEach, meshClusters } from "../../src/commands/clusters.ts";
import { runService } from "../../src/commands/describe.ts";
import type { CommandRun, Io } from "../../src/commands/io.ts";
import { run as mtlsReport } from "../../src/commands/mtls/report.ts";
import { run as proxyStatus } from "../../src/commands/proxy-status.ts";
import { run as remoteClusters } from "../../src/commands/remote-clusters.ts";
import { run as traceRoute } from "../../src/commands/trace-route.ts";
import { ClusterError, UsageError } from "../../src/base/errors.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { estateIo } from "../support/clusters/estate.ts";
import { fakeIo } from "../support/fake-io.ts";

const BOTH = { remoteContexts: ["west-admin"] } as const;
const folder = mkdtempSync(join(tmpdir(), "meshctl-several-"));

let estate: Awaited<ReturnType<typeof estateIo>>;

beforeAll(async () => {
  estate = await estateIo({ cwd: folder });
});

afterAll(async () => {
  await estate.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What a command prints, and how it ends. */
async function told(
  run: CommandRun,
  input: { readonly args?: readonly string[]; readonly options?: Parameters<CommandRun>[0]["options"] },
): Promise<{ readonly out: string; readonly err: string; readonly exitCode: number }> {
  const io = estate.io();
  const { exitCode } = await run({ args: input.args ?? [], options: { ...BOTH, ...input.options } }, io);
  return { out: io.stdout(), err: io.stderr(), exitCode };
}

test("clusters are called as the mesh calls them, in the order of the flags; one may be named once", async () => {
  const names = async (options: Readonly<Record<string, readonly string[]>>): Promise<readonly string[]> =>
    (await meshClusters({ args: [], options }, estate.io())).map(({ name }) => name);
  expect(await names(BOTH)).toEqual(["east", "west"]);
  expect(await names({ contexts: ["west-admin,east-admin"] })).toEqual(["west", "east"]);
  // of one cluster nothing is asked before the command itself does
  expect(await names({})).toEqual(["east-admin"]);
  await expect(names({ contexts: ["east-admin"], remoteContexts: ["east-admin"] })).rejects.toThrow(UsageError);
});

test("of several clusters one that does not answer is told and left out; of none the first error counts", async () => {
  const clusters = await meshClusters({ args: [], options: BOTH }, estate.io());
  const io = fakeIo();
  const lost = new ClusterError("unreachable", "no route to the host");
  const found = await fromEach(
    clusters,
    ({ name }) => (name === "west" ? Promise.reject(lost) : Promise.resolve(name)),
    io,
  );
  expect(found.answers.map(({ answer }) => answer)).toEqual(["east"]);
  expect(found.failed).toEqual(["west"]);
  expect(io.stderr()).toBe("Not asked: cluster west: no route to the host\n");
  await expect(fromEach(clusters, () => Promise.reject(lost), io)).rejects.toBe(lost);
});

test("proxy-status lists proxies of every cluster, each with its own; pods without a stream too", async () => {
  const { out, exitCode } = await told(proxyStatus, { options: { output: "table" } });
  expect(out.split("\n").map((line) => line.split(/\s{2,}/).slice(0, 3))).toEqual([
    ["NAME", "CLUSTER", "ISTIOD"],
    ["eastwest-1.istio-system", "east", "-"],
    ["eastwest-1.istio-system", "west", "-"],
    ["catalog.shop", "west", "istiod-west"],
    ["web.shop", "east", "istiod-east"],
    [""],
  ]);
  expect(exitCode).toBe(1);
});

test("remote-clusters asks the control planes of all", async () => {
  const { out, exitCode } = await told(remoteClusters, { options: { output: "json" } });
  expect((JSON.parse(out) as { name: string; istiod: string }[]).map(({ name, istiod }) => [name, istiod])).toEqual([
    ["east", "istiod-east"],
    ["west", "istiod-west"],
  ]);
  expect(exitCode).toBe(0);
});

test("trace-route goes through the gateway of the other network to the pod behind it", async () => {
  const { out, exitCode } = await told(traceRoute, {
    args: ["http://catalog/items"],
    options: { from: "web.shop", output: "json" },
  });
  const { branches, ends } = JSON.parse(out) as {
    branches: { steps: { step: string; proxy: string; cluster: string; chosen: string }[] }[];
    ends: { text: string };
  };
  expect(branches).toHaveLength(1);
  const steps = (branches[0]?.steps ?? []).map(
    ({ step, proxy, cluster, chosen }) => `${cluster} ${proxy} ${step}: ${chosen}`,
  );
  const sni = "outbound_.80_._.catalog.shop.svc.cluster.local";
  expect(steps).toEqual([
    "east web.shop cluster: outbound|80||catalog.shop.svc.cluster.local",
    "east web.shop endpoints: 203.0.113.2:15443",
    `east web.shop tls: mutual TLS of the mesh, server name ${sni}`,
    "west eastwest-1.istio-system listener: 0.0.0.0_15443",
    expect.stringContaining(`west eastwest-1.istio-system chain: ${sni}`),
    `west eastwest-1.istio-system cluster: ${sni}`,
    "west eastwest-1.istio-system endpoints: 10.2.0.5:8080",
    "west catalog.shop listener: virtualInbound",
    "west catalog.shop chain: 0.0.0.0_8080",
    "west catalog.shop application: inbound|8080||",
  ]);
  expect(ends.text).toBe("delivered to catalog.shop in west");
  expect(exitCode).toBe(0);
});

test("endpoints in several clusters are branches with their shares", async () => {
  const own = { ...(await estateIo()) };
  const objects: readonly KubeObject[] = [
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "catalog",
        namespace: "shop",
        labels: { app: "catalog", "security.istio.io/tlsMode": "istio" },
      },
      spec: { serviceAccountName: "catalog", containers: [{ name: "app" }] },
      status: { phase: "Running", podIP: "10.1.0.6" },
    } as KubeObject,
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "catalog-1", namespace: "shop", labels: { "kubernetes.io/service-name": "catalog" } },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080 }],
      endpoints: [
        { addresses: ["10.1.0.6"], conditions: { ready: true }, targetRef: { kind: "Pod", name: "catalog" } },
      ],
    } as KubeObject,
  ];
  for (const one of objects) own.clusters.east.set(one);
  const io = own.io();
  await traceRoute({ args: ["http://catalog/items"], options: { ...BOTH, from: "web.shop", output: "json" } }, io);
  const { branches } = JSON.parse(io.stdout()) as { branches: { share: number; ends: { text: string } }[] };
  expect(branches.map(({ share, ends }) => [share, ends.text])).toEqual([
    [0.5, "delivered to catalog.shop"],
    [0.5, "delivered to catalog.shop in west"],
  ]);
  await own.close();
});

test("authz check takes a caller of another cluster; what is refused there is refused on the way too", async () => {
  const policy = {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "viewers", namespace: "shop" },
    spec: { rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/nobody"] } }] }] },
  } as KubeObject;
  estate.clusters.west.set(policy);
  const options = { contexts: ["west-admin"], remoteContexts: ["east-admin"], from: "web.shop", port: "8080" };
  const asked = await told(authzCheck, { args: ["catalog.shop"], options: { ...options, output: "table" } });
  expect([asked.out.split("\n")[0], asked.exitCode]).toEqual(["catalog.shop:8080: refused (403)", 1]);
  const walked = await told(traceRoute, { args: ["http://catalog/items"], options: { from: "web.shop" } });
  expect(walked.out).toContain("authorization of catalog.shop in west: refused");
  expect(walked.exitCode).toBe(1);
  await estate.clusters.west.delete({ ...policy, name: "viewers", namespace: "shop" });
});

test("mtls report counts workloads of every cluster", async () => {
  const { out } = await told(mtlsReport, { options: { output: "table" } });
  const rows = out.split("\n").map((line) =>
    line
      .split(/\s{2,}/)
      .slice(0, 2)
      .join(" in "),
  );
  expect(rows).toEqual(expect.arrayContaining(["web.shop in east", "catalog.shop in west"]));
});

test("mtls report says which clusters of the mesh it did not read", async () => {
  const words =
    "Not read: the proxies of west, in the same mesh by a remote secret, whose account does not reach pods.";
  expect((await told(mtlsReport, { options: { output: "table", remoteContexts: [] } })).err).toContain(words);
  expect((await told(mtlsReport, { options: { output: "table" } })).err).not.toContain("Not read");
});

test("describe and analyze see endpoints and objects of all; findings say in which cluster", async () => {
  const described = await told(runService, { args: ["catalog.shop"], options: { output: "table" } });
  expect(described.exitCode).toBe(0);
  const route = (host: string): KubeObject =>
    ({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: "broken", namespace: "shop" },
      spec: { hosts: ["web"], http: [{ route: [{ destination: { host } }] }] },
    }) as KubeObject;
  estate.clusters.west.set(route("nowhere"));
  const { out, exitCode } = await told(analyze, { options: { allNamespaces: true, output: ["json"], config: false } });
  const found = (JSON.parse(out) as { code: string; cluster?: string; origin?: string }[]).filter(
    ({ code }) => code === "IST0101",
  );
  expect(found).toHaveLength(1);
  expect(JSON.stringify(found)).toContain("west");
  expect(exitCode).toBe(1);
  await estate.clusters.west.delete({ ...route(""), name: "broken", namespace: "shop" });
});

test("a host that only another cluster has is known when that one is named, and else is not", async () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "stock", namespace: "shop" },
    spec: { clusterIP: "10.2.96.9", ports: [{ name: "http", port: 80 }] },
  } as KubeObject;
  const rule = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "stock", namespace: "shop" },
    spec: { hosts: ["web"], http: [{ route: [{ destination: { host: "stock" } }] }] },
  } as KubeObject;
  estate.clusters.west.set(service);
  estate.clusters.east.set(rule);
  const codes = async (options: object): Promise<readonly string[]> => {
    const { out } = await told(analyze, {
      options: { allNamespaces: true, output: ["json"], config: false, ...options },
    });
    return (JSON.parse(out) as { code: string }[]).map(({ code }) => code);
  };
  expect(await codes({})).not.toContain("IST0101");
  expect(await codes({ remoteContexts: [] })).toContain("IST0101");
  await estate.clusters.west.delete({ ...service, name: "stock", namespace: "shop" });
  await estate.clusters.east.delete({ ...rule, name: "stock", namespace: "shop" });
});

test("check looks at each cluster, which knows of the others", async () => {
  const { out } = await told(check, {
    options: { output: "json", check: ["cluster-names", "cluster-network", "network-gateway-address"] },
  });
  const { checks } = JSON.parse(out) as {
    checks: { name: string; cluster: string; status: string; message?: string }[];
  };
  expect(checks.map(({ name, cluster, status, message = "" }) => [cluster, name, status, message])).toEqual([
    ["east", "cluster-names", "ok", "east"],
    ["east", "cluster-network", "ok", "net-east"],
    ["east", "network-gateway-address", "ok", ""],
    ["west", "cluster-names", "ok", "west"],
    ["west", "cluster-network", "ok", "net-west"],
    ["west", "network-gateway-address", "ok", ""],
  ]);
});

test("a bug report of several clusters answers for all of them, or for the one that is named", async () => {
  const made = await told(bugReport, {});
  expect(made.exitCode).toBe(0);
  const file = made.out.trim();
  const onBundle = async (run: CommandRun, options: object, args: readonly string[] = []): Promise<string> => {
    const out: string[] = [];
    const main = { ...fakeIo({ cwd: folder, out: (text) => void out.push(text) }) } as Io;
    const io = await withMesh(main, {
      bundle: file,
      ...("context" in options ? { context: String(options.context) } : {}),
    });
    await run({ args, options: { ...options } as never }, io);
    return out.join("");
  };
  const names = (text: string): readonly string[] =>
    (JSON.parse(text) as { name: string; cluster: string }[]).map(({ name, cluster }) => `${name} ${cluster}`);
  expect(names(await onBundle(proxyStatus, { output: "json" }))).toEqual([
    "eastwest-1 east",
    "eastwest-1 west",
    "catalog west",
    "web east",
  ]);
  expect(names(await onBundle(proxyStatus, { output: "json", context: "west" }))).toEqual([
    "eastwest-1 -",
    "catalog west",
  ]);
  expect(await onBundle(traceRoute, { from: "web.shop" }, ["http://catalog/items"])).toContain(
    "✔ delivered to catalog.shop in west",
  );
  await expect(onBundle(proxyStatus, { context: "north" })).rejects.toThrow("has no cluster north");
}, 60_000);
