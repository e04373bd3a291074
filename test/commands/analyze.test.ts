import { mkdtemp, rm, writeFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClusterError, EnvironmentError, UsageError } from "../../src/base/errors.ts";
import { analyze, type AnalyzeOptions, run } from "../../src/commands/analyze.ts";
import type { Cluster } from "../../src/resources/cluster.ts";
import { apiVersionOf, kindOf } from "../../src/resources/kinds.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeIo } from "../support/fake-io.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "meshctl-analyze-"));
  await mkdir(join(dir, "mesh/deep"), { recursive: true });
  await mkdir(join(dir, "mesh/.git"));
  await writeFile(join(dir, "mesh/vs.yaml"), VS);
  await writeFile(join(dir, "mesh/deep/svc.json"), JSON.stringify(service("web")));
  await writeFile(join(dir, "mesh/.git/broken.yaml"), "\t");
  await writeFile(join(dir, "mesh/notes.txt"), "\t");
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const VS = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec:
  hosts: [web]
  http:
    - route: [{ destination: { host: web } }]
`;

function service(name: string, namespace = "default"): KubeObject {
  const spec = { ports: [{ port: 80, name: "http" }] };
  return { apiVersion: "v1", kind: "Service", metadata: { name, namespace }, spec };
}

function virtualService(name: string, namespace: string, host: string): KubeObject {
  const spec = { hosts: [name], http: [{ route: [{ destination: { host } }] }] };
  return { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: { name, namespace }, spec };
}

/** The reading half of a cluster that holds these objects; anything else fails the test. */
function clusterOf(objects: readonly KubeObject[]): Cluster {
  const cluster: Partial<Cluster> = {
    version: () => Promise.resolve({ gitVersion: "v1.36.3", major: "1", minor: "36" }),
    list: ({ apiVersion, kind }, { namespace } = {}) =>
      Promise.resolve(
        objects.filter((object) => {
          const name = kindOf(object);
          const wanted = object.kind === kind && name !== undefined && apiVersionOf(name) === apiVersion;
          return wanted && (namespace === undefined || object.metadata.namespace === namespace);
        }),
      ),
  };
  return cluster as Cluster;
}

const defaults: AnalyzeOptions = {
  sources: [],
  cluster: "no",
  namespace: "default",
  allNamespaces: false,
  rootNamespace: "istio-system",
  failureThreshold: "Error",
  output: "text",
};
const codesOf = ({ findings }: { readonly findings: readonly { readonly code: string }[] }): readonly string[] =>
  findings.map(({ code }) => code);

test("directories are read with everything below, hidden folders and other files left out", async () => {
  const io = fakeIo({ cwd: dir });
  const result = await analyze({ ...defaults, sources: ["mesh"] }, io);
  expect(result).toEqual({ findings: [], exitCode: 0 });
  expect(io.stdout()).toBe("");
  expect(io.stderr()).toContain("No validation issues found when analyzing mesh.");
});

test("offline never opens a cluster; files that are a part of the whole are judged as such", async () => {
  const io = fakeIo({ stdin: VS });
  const result = await analyze({ ...defaults, sources: ["-"] }, io);
  expect(result.exitCode).toBe(0);
  expect(io.stderr()).toContain("host web.default.svc.cluster.local: no service of its namespace is in the files");
});

test("files lie on top of the cluster: what is there counts, what they replace does not", async () => {
  const live = [service("web"), virtualService("web", "default", "old")];
  const io = fakeIo({ stdin: VS, cluster: clusterOf(live) });
  expect(codesOf(await analyze({ ...defaults, sources: ["-"], cluster: "base" }, io))).toEqual([]);
  const alone = fakeIo({ stdin: VS, cluster: clusterOf([]) });
  const missing = await analyze({ ...defaults, sources: ["-"], cluster: "base" }, alone);
  expect(codesOf(missing)).toEqual(["IST0101"]);
  expect(missing.findings[0]?.position).toEqual({ file: "stdin", line: 7, column: 32 });
});

test("without files the cluster is analyzed: one namespace, or all", async () => {
  const live = [virtualService("a", "default", "x"), virtualService("b", "shop", "y")];
  const names = async (options: Partial<AnalyzeOptions>): Promise<readonly (string | undefined)[]> => {
    const io = fakeIo({ cluster: clusterOf(live) });
    return (await analyze({ ...defaults, cluster: "wanted", ...options }, io)).findings.map(
      ({ object }) => object?.name,
    );
  };
  expect(await names({})).toEqual(["a"]);
  expect(await names({ namespace: "shop" })).toEqual(["b"]);
  expect(await names({ allNamespaces: true })).toEqual(["a", "b"]);
});

test("a cluster that cannot be reached: files alone with a note, unless it was asked for", async () => {
  const cluster = (): Promise<Cluster> => Promise.reject(new ClusterError("unreachable", "connection refused"));
  const io = { ...fakeIo({ stdin: VS }), cluster };
  expect((await analyze({ ...defaults, sources: ["-"], cluster: "base" }, io)).exitCode).toBe(0);
  expect(io.stderr()).toContain("no cluster was reached: connection refused");
  await expect(analyze({ ...defaults, cluster: "wanted" }, io)).rejects.toThrow(ClusterError);
});

test.each([
  ["Error", 0],
  ["Warning", 1],
  ["Info", 1],
] as const)("threshold %s: exit code %i for a warning", async (failureThreshold, exitCode) => {
  const twice = `${VS}---\n${VS}`;
  const result = await analyze({ ...defaults, sources: ["-"], failureThreshold }, fakeIo({ stdin: twice }));
  expect(codesOf(result)).toEqual(["MSH0004"]);
  expect(result.exitCode).toBe(exitCode);
});

test("a text that is no YAML is exit code 2 in every format, and the other documents are still checked", async () => {
  for (const output of ["text", "json", "yaml"] as const) {
    const stdin = `a: [\n---\n${VS.replace("hosts", "host")}`;
    const result = await analyze({ ...defaults, sources: ["-"], output }, fakeIo({ stdin }));
    expect(codesOf(result)).toEqual(["IST0106", "MSH0001"]);
    expect(result.exitCode).toBe(2);
  }
});

test("flags: files by argument and by -f, --use-kube in all its forms", async () => {
  const io = (): ReturnType<typeof fakeIo> => fakeIo({ cwd: dir, cluster: clusterOf([service("web")]) });
  const exit = async (args: readonly string[], options: Record<string, string | boolean | readonly string[]>) =>
    (await run({ args, options }, io())).exitCode;
  expect(await exit(["mesh"], { useKube: "false" })).toBe(0);
  expect(await exit([], { filename: ["mesh/vs.yaml"], useKube: true })).toBe(0);
  expect(await exit([], { useKube: "mesh" })).toBe(0);
  await expect(run({ args: [], options: { offline: true } }, io())).rejects.toThrow(UsageError);
  await expect(run({ args: ["nowhere"], options: { offline: true } }, io())).rejects.toThrow(EnvironmentError);
});
