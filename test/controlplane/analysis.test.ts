import { expect, test } from "vitest";
import { createAnalysisJob } from "../../src/controlplane/analysis/job.ts";
import type { SpokenFinding } from "../../src/controlplane/analysis/status.ts";
import { statusOf } from "../../src/controlplane/analysis/status.ts";
import type { KubeObject } from "../../src/resources/object.ts";

const route = (host: string): KubeObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "reviews", namespace: "shop" },
  spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host } }] }] },
});
const service: KubeObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "reviews", namespace: "shop" },
  spec: { ports: [{ name: "http", port: 80 }] },
};
const options = { rootNamespace: "istio-system", domain: "cluster.local", missing: new Map() };
const codesOf = (findings: readonly SpokenFinding[]): readonly string[] =>
  findings.filter(({ object }) => object?.kind === "VirtualService").map(({ code }) => code);

test("an analysis follows the changes it was told, and skips what needs kinds that are not held", () => {
  const job = createAnalysisJob();
  job.apply([service, route("review")].map((object) => ({ type: "set", object })));
  expect(job.run(options).levels.Error).toBe(1);
  const first = job.report("shop");
  expect(codesOf(first.findings)).toEqual(["IST0101"]);
  expect(job.report("other").findings).toEqual([]);
  expect(first.objects).toBe(2);
  expect(first.skipped).toEqual([]);
  expect(job.statuses()).toMatchObject([{ kind: "VirtualService", namespace: "shop", name: "reviews" }]);
  job.apply([{ type: "set", object: route("reviews") }]);
  job.run(options);
  expect(codesOf(job.report("").findings)).toEqual([]);
  job.apply([{ type: "delete", object: service }]);
  const missing = new Map([["Secret", "the control plane does not watch Secret"]] as const);
  job.run({ ...options, missing });
  const last = job.report("");
  expect(codesOf(last.findings)).toEqual(["IST0101"]);
  for (const { reason } of last.skipped) expect(reason).toBe("the control plane does not watch Secret");
});

const now = new Date("2026-11-21T10:00:00.123Z");
const finding = (level: SpokenFinding["level"]): SpokenFinding => ({
  code: "IST0101",
  name: "ReferencedResourceNotFound",
  level,
  object: { kind: "VirtualService", namespace: "shop", name: "reviews" },
  path: [],
  args: {},
  position: undefined,
  message: "words",
  documentationUrl: "https://example.com/",
});

test("a clean object gets no status; one with findings gets messages and a condition, and keeps other conditions", () => {
  expect(statusOf(route("a"), [], now)).toBeUndefined();
  const other = { type: "Reconciled", status: "True" };
  const object = { ...route("a"), status: { conditions: [other] } };
  const status = statusOf(object, [finding("Error")], now);
  expect(status).toEqual({
    validationMessages: [
      {
        type: { code: "IST0101", name: "ReferencedResourceNotFound" },
        level: "ERROR",
        documentationUrl: "https://example.com/",
        message: "words",
      },
    ],
    conditions: [
      other,
      {
        type: "PassedAnalysis",
        status: "False",
        reason: "ReferencedResourceNotFound",
        message: "words",
        lastTransitionTime: "2026-11-21T10:00:00Z",
      },
    ],
  });
  expect(statusOf({ ...object, status: { ...status } }, [finding("Error")], new Date())).toBeUndefined();
});

test("warnings pass; when nothing is left the messages go and the condition is true", () => {
  const before = { ...route("a"), status: { ...statusOf(route("a"), [finding("Error")], now) } };
  const warned = statusOf(before, [finding("Warning")], new Date("2026-11-22T00:00:00Z"));
  expect(warned?.conditions).toEqual([
    expect.objectContaining({ status: "True", lastTransitionTime: "2026-11-22T00:00:00Z" }),
  ]);
  expect(statusOf(before, [], now)).toMatchObject({ validationMessages: [], conditions: [{ status: "True" }] });
});

test("a Service that differs in another cluster of the mesh is found, unless it is each cluster's own", () => {
  const elsewhere = (port: number) => ({
    own: "east",
    others: [{ name: "west", services: [{ ...service, spec: { ports: [{ name: "http", port }] } }] }],
  });
  const job = createAnalysisJob();
  job.apply([{ type: "set", object: service }]);
  const found = (port: number): readonly string[] => {
    job.run({ ...options, elsewhere: elsewhere(port) });
    return job.report("").findings.flatMap(({ code, message }) => (code === "IST0170" ? [message] : []));
  };
  expect(found(80)).toEqual([]);
  expect(found(81)).toEqual([expect.stringMatching(/reviews.*shop.*east, west.*80\/TCP.*81\/TCP/)]);
  const mesh = `serviceSettings: [{ settings: { clusterLocal: true }, hosts: ["*.shop.svc.cluster.local"] }]`;
  const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "istio", namespace: "istio-system" } };
  job.apply([{ type: "set", object: { ...config, data: { mesh } } as KubeObject }]);
  expect(found(81)).toEqual([]);
});
