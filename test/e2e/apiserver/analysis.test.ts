import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnalysisReport } from "../../../src/controlplane/analysis/job.ts";
import type { TargetRef } from "../../../src/resources/cluster.ts";
import { type Installed, install } from "../../support/controlplane/installed.ts";
import { service } from "../../support/controlplane/mesh-objects.ts";
import { waitFor } from "../../support/wait.ts";

// The analyzers in meshd's own thread, over a real kube-apiserver, with the permissions of the rendered manifests.

let mesh: Installed;
const route: TargetRef = {
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  namespace: "shop",
  name: "reviews",
};

interface Status {
  readonly validationMessages?: readonly unknown[];
  readonly conditions?: readonly unknown[];
}

async function statusOf(target: TargetRef): Promise<Status> {
  return ((await mesh.cluster.get(target))?.status ?? {}) as Status;
}

async function report(query = ""): Promise<AnalysisReport> {
  const answer = await fetch(`http://127.0.0.1:${mesh.ports.monitoring}/debug/analysis${query}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as AnalysisReport;
}

function routeTo(host: string): object {
  return { spec: { hosts: ["reviews"], http: [{ route: [{ destination: { host } }] }] } };
}

beforeAll(async () => {
  mesh = await install({ analysis: true });
  await service(mesh.cluster, { namespace: "shop", name: "reviews" }, ["10.244.0.8"]);
  await mesh.cluster.create({
    apiVersion: route.apiVersion,
    kind: route.kind,
    metadata: { name: route.name, namespace: "shop" },
    ...routeTo("review"),
  });
  await mesh.startPlane();
});

afterAll(() => mesh?.stop());

test("the endpoint says what is wrong now, in words, and for one namespace alone", async () => {
  const found = await waitFor(
    async () => (await report("?namespace=shop")).findings.find(({ code }) => code === "IST0101"),
    { timeoutMs: 20_000, what: "the finding" },
  );
  expect(found).toMatchObject({
    name: "ReferencedResourceNotFound",
    level: "Error",
    object: { kind: "VirtualService", namespace: "shop", name: "reviews" },
    path: ["spec", "http", 0, "route", 0, "destination", "host"],
    message: 'Referenced host not found: "review"',
    hint: "Did you mean reviews?",
  });
  const whole = await report();
  expect(whole.executed.length).toBeGreaterThan(0);
  expect(whole.objects).toBeGreaterThan(3);
  expect((await report("?namespace=default")).findings.filter(({ object }) => object?.namespace !== "default")).toEqual(
    [],
  );
});

test("the leader writes findings into the object's status, and takes them back when it is right", async () => {
  const wrong = await waitFor(
    async () => {
      const status = await statusOf(route);
      return (status.validationMessages ?? []).length > 0 ? status : undefined;
    },
    { timeoutMs: 20_000, what: "the status" },
  );
  expect(wrong).toMatchObject({
    validationMessages: expect.arrayContaining([
      expect.objectContaining({ type: { code: "IST0101", name: "ReferencedResourceNotFound" }, level: "ERROR" }),
    ]) as unknown,
    conditions: [expect.objectContaining({ type: "PassedAnalysis", status: "False" })],
  });
  await mesh.cluster.mergePatch(route, routeTo("reviews"));
  const right = await waitFor(
    async () => {
      const status = await statusOf(route);
      return JSON.stringify(status.conditions ?? []).includes('"True"') ? status : undefined;
    },
    { timeoutMs: 20_000, what: "the status to follow" },
  );
  expect(right.validationMessages).toEqual([]);
  expect((await report("?namespace=shop")).findings.filter(({ code }) => code === "IST0101")).toEqual([]);
});
