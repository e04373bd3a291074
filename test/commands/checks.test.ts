import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ClusterError, UsageError } from "../../src/base/errors.ts";
import { runChecks } from "../../src/checks/check.ts";
import { checksOf } from "../../src/checks/registry.ts";
import { parse } from "../../src/cli-parse.ts";
import { runExternal } from "../../src/commands/checks/external.ts";
import { checksJunit, checksSarif } from "../../src/commands/checks/formats.ts";
import { totalsOf } from "../../src/commands/checks/probes.ts";
import { type ChecksOptions, check, listChecks } from "../../src/commands/checks/run.ts";
import { precheck } from "../../src/commands/precheck.ts";
import type { Cluster } from "../../src/resources/cluster.ts";
import { clusterOf, healthyMesh, type Mesh, NOW, node } from "../checks/mesh.ts";
import { fakeIo } from "../support/fake-io.ts";

const options: ChecksOptions = { istioNamespace: "istio-system", output: "table", external: false };
const folder = mkdtempSync(join(tmpdir(), "meshctl-checks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function clusterWith(change: (mesh: Mesh) => void = () => undefined): Promise<Cluster> {
  const mesh = await healthyMesh();
  change(mesh);
  return clusterOf(mesh).cluster;
}

test("brief says a line per category and what is wrong; table every check; both with what to do", async () => {
  const cluster = await clusterWith((mesh) => {
    mesh.set(node("n1", { architecture: "s390x" }));
    mesh.remove("EndpointSlice", "kube-system/kube-dns-x");
  });
  const [brief, table] = [fakeIo({ cluster, now: () => NOW }), fakeIo({ cluster, now: () => NOW })];
  const only = { categories: ["cluster", "nodes"] };
  expect((await precheck({ ...options, ...only, output: "brief" }, brief)).exitCode).toBe(1);
  await precheck({ ...options, ...only }, table);
  expect(brief.stdout()).toBe(`✘ cluster: 8 of 9 hold
    ✘ the cluster's DNS has pods behind it
        Service kube-system/kube-dns has no ready endpoint
        look at the pods of the DNS service: kubectl get pods -n kube-system -l k8s-app=kube-dns
        see docs/checks/README.md#cluster-dns
‼ nodes: 8 of 9 hold
    ‼ nodes have an architecture that images are built for (amd64, arm64)
        node n1 has s390x
        keep the mesh's pods off these nodes with a nodeSelector on kubernetes.io/arch
        see docs/checks/README.md#node-architecture
`);
  expect(brief.stderr()).toBe("✘ 1 of 18 checks failed, 1 warning.\n");
  expect(table.stdout()).toContain("  ✔ a node is ready to run pods (2 of 2)\n");
});

test("a check is run with those that it needs, and is alone in what is told", async () => {
  const cluster = await clusterWith((mesh) => mesh.remove("Deployment", "istio-system/istiod"));
  const io = fakeIo({ cluster });
  const { checks, exitCode } = await check("after", { ...options, checks: ["control-plane-ready"] }, io);
  expect(checks.map(({ name, status, message }) => [name, status, message])).toEqual([
    ["control-plane-ready", "skipped", "needs: a control plane is installed"],
  ]);
  expect(exitCode).toBe(0);
});

test("an unknown check or category is a usage error that names the nearest", async () => {
  const run = check("after", { ...options, checks: ["root-expiri"] }, fakeIo({ cluster: await clusterWith() }));
  await expect(run).rejects.toThrow(UsageError);
  await expect(run).rejects.toMatchObject({ hint: expect.stringContaining("root-expiry") as string });
  await expect(check("before", { ...options, categories: ["metrics"] }, fakeIo())).rejects.toThrow("metrics");
});

test("--list asks nothing, and tells every check of the phase", () => {
  const io = fakeIo();
  listChecks("before", options, io);
  for (const { name, affirmation } of checksOf("before")) expect(io.stdout()).toContain(`  ${name}: ${affirmation}\n`);
  const json = fakeIo();
  listChecks("after", { ...options, output: "json" }, json);
  expect(JSON.parse(json.stdout())).toHaveLength(checksOf("after").length);
});

test("x precheck is precheck", () => {
  for (const words of [
    ["x", "precheck"],
    ["experimental", "precheck", "--from-version", "1.2.3"],
  ])
    expect(parse(words)).toMatchObject({ type: "run", spec: { name: "precheck" } });
});

test("what does not answer costs its own time only, and the checks that ask for it", async () => {
  const { cluster, context } = clusterOf(await healthyMesh());
  const deaf: Cluster = {
    ...cluster,
    list: (kind, list) => (kind.kind === "LimitRange" ? new Promise(() => undefined) : cluster.list(kind, list)),
  };
  const start = performance.now();
  const results = await runChecks(checksOf("after"), deaf, { ...context, requestTimeoutMs: 100 });
  expect(performance.now() - start).toBeLessThan(5_000);
  expect(results.filter(({ status }) => status === "error").map(({ name, message }) => [name, message])).toEqual([
    ["limit-range-injected", "no answer within 0.1 s: list of LimitRange"],
  ]);
});

test("each question is asked once, and few at a time", async () => {
  const { cluster, context } = clusterOf(await healthyMesh());
  const asked: string[] = [];
  let [now, most] = [0, 0];
  const counting: Cluster = {
    ...cluster,
    list: async (kind, list) => {
      asked.push(`${kind.apiVersion} ${kind.kind} ${list?.namespace ?? ""}`);
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      const found = await cluster.list(kind, list);
      now -= 1;
      return found;
    },
  };
  await runChecks(checksOf("after"), counting, context);
  expect(new Set(asked).size).toBe(asked.length);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(6);
});

test("--wait asks again until nothing fails", async () => {
  const { cluster } = clusterOf(await healthyMesh());
  let lists = 0;
  const starting: Cluster = {
    ...cluster,
    list: (kind, list) => {
      if (kind.kind === "Node") lists += 1;
      return kind.kind === "Node" && lists < 2 ? Promise.resolve([]) : cluster.list(kind, list);
    },
  };
  const { exitCode } = await check(
    "before",
    { ...options, checks: ["nodes"], waitMs: 60_000 },
    fakeIo({ cluster: starting }),
  );
  expect([exitCode, lists]).toEqual([0, 2]);
});

test("junit and sarif say the same as the table", async () => {
  const { cluster, context } = clusterOf(await healthyMesh());
  const lost = (): Promise<never> => Promise.reject(new ClusterError("x", 'no <"answer">'));
  const results = await runChecks(checksOf("before"), { ...cluster, canI: lost }, { ...context, version: "x" });
  const xml = checksJunit(results);
  expect(xml).toContain(`<testsuites name="meshctl" tests="${results.length}" failures="1" errors="0" skipped="1">`);
  expect(xml).toContain('<failure type="permissions" message="no &lt;&quot;answer&quot;&gt;">');
  expect(xml).toContain("<skipped message=");
  const { runs } = JSON.parse(checksSarif(results, "https://x")) as {
    runs: {
      results: { ruleId: string; ruleIndex: number; level: string }[];
      tool: { driver: { rules: { id: string }[] } };
    }[];
  };
  expect(runs[0]?.results.map(({ ruleId, level }) => [ruleId, level])).toEqual([["permissions", "error"]]);
  expect(runs[0]?.tool.driver.rules[runs[0].results[0]?.ruleIndex ?? -1]?.id).toBe("permissions");
});

test("sums of measurements, over labels", () => {
  const text = '# TYPE a counter\na{type="x"} 1\na{type="y"} 2.5\nb 0\n';
  expect([...totalsOf(text)]).toEqual([
    ["a", 3.5],
    ["b", 0],
  ]);
});

function program(name: string, body: string): void {
  const file = join(folder, `meshctl-check-${name}`);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
}

test("programs on PATH take part; one that fails, is late or talks otherwise is a failed check", async () => {
  program(
    "site",
    `read line; case "$1 $line" in
      'before {"protocol":1,"phase":"before","istioNamespace":"istio-system"}') status=ok;;
      *) status=error;;
    esac
    echo '{"checks":[{"name":"vault","affirmation":"Vault is unsealed","status":"'$status'","message":"seen"}]}'`,
  );
  program("broken", "echo no key >&2; exit 3");
  program("chatty", "echo hello");
  program("late", "exec sleep 30");
  writeFileSync(join(folder, "meshctl-check-not-executable"), "");
  const io = fakeIo({ env: { PATH: `/nowhere:${folder}:${process.env["PATH"] ?? ""}` } });
  const request = { protocol: 1, phase: "before", istioNamespace: "istio-system" } as const;
  const results = await runExternal(request, io, 1_000);
  expect(results.map(({ category, name, status, message }) => [category, name, status, message])).toEqual([
    ["extension broken", "broken/run", "error", "it ended with 3: no key"],
    ["extension chatty", "chatty/run", "error", 'expected JSON with a list checks, got "hello\\n"'],
    ["extension late", "late/run", "error", "no answer within 1 s"],
    ["extension site", "site/vault", "ok", "seen"],
  ]);
});

test("external checks are part of a whole run, of its exit code, and of no chosen one", async () => {
  program("fails", `echo '{"checks":[{"name":"a","affirmation":"it holds","status":"error"}]}'`);
  const cluster = await clusterWith();
  const env = { PATH: folder };
  const whole = await check("before", { ...options, external: true }, fakeIo({ cluster, env }));
  expect(whole.exitCode).toBe(1);
  expect(whole.checks.some(({ name }) => name === "fails/a")).toBe(true);
  const chosen = await check("before", { ...options, external: true, checks: ["nodes"] }, fakeIo({ cluster, env }));
  expect([chosen.exitCode, chosen.checks.length]).toEqual([0, 1]);
});
