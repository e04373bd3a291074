import { readFileSync } from "node:fs";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "../../src/cli-parse.ts";
import { meshPage } from "../../src/commands/dashboard/mesh-page.ts";
import { tappedRequest } from "../../src/commands/traffic/tap-request.ts";
import { pageQuestions } from "../../src/controlplane/page.ts";
import { createRoot } from "../../src/pki/ca.ts";
import type { Cluster } from "../../src/resources/cluster.ts";
import type { KubeObject } from "../../src/resources/object.ts";
import { fakeCluster } from "../support/fake-cluster.ts";
import { fakeIo } from "../support/fake-io.ts";
import { answering, type PodAnswers } from "../support/pod-answers.ts";
import { counters, policyCounters, QUESTION, routeCounters } from "../support/traffic-counters.ts";

// What commands about traffic print for programs, and what the control plane's page is answered, holds to its schema.
const ajv = new Ajv({ strict: false, unicodeRegExp: false });

function expectValid(name: string, data: unknown): void {
  const file = join(import.meta.dirname, "../../schemas", `${name}.schema.json`);
  const validate =
    ajv.getSchema(`${name}.schema.json`) ?? ajv.compile(JSON.parse(readFileSync(file, "utf8")) as object);
  expect(validate(data), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
}

const pod: KubeObject = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web-1", namespace: "shop", annotations: { "sidecar.istio.io/status": "{}" } },
  status: { phase: "Running" },
};
const TCP =
  'istio_tcp_connections_opened_total{reporter="destination",source_workload="cart",source_workload_namespace="shop",destination_workload="ledger",destination_workload_namespace="shop",destination_service="ledger.shop.svc.cluster.local",connection_security_policy="mutual_tls"} 4\n';

function proxy(text: () => string): Promise<PodAnswers> {
  return answering({ [QUESTION]: text(), ...routeCounters, ...policyCounters, "/ui/": "the page" });
}

test.each([
  ["edges -t 0", "edges"],
  ["stat -t 0", "stat"],
  ["stat route -t 0", "stat"],
  ["stat policy -t 0", "stat"],
  ["graph", "graph"],
  ["top --count 1 --interval 100ms", "top"],
])("%s", async (line, schema) => {
  await using answers = await proxy(() => counters({ reporter: "destination", codes: { 200: 9, 503: 1 } }) + TCP);
  const io = fakeIo({ cluster: fakeCluster({ objects: [pod], portForward: answers.connect }) });
  const parsed = parse([...line.split(" "), "-o", "json"]);
  if (parsed.type !== "run") throw new Error(`${line} is not run`);
  await (await parsed.spec.load())(parsed.input, io);
  const data = JSON.parse(io.stdout()) as Readonly<Record<string, unknown>>;
  if (schema !== "top") expect(Object.values(data).flat().length).toBeGreaterThan(0);
  expectValid(`output/${schema}`, data);
});

test("a tapped request, with and without an answer", () => {
  const request = { headers: [{ key: ":method", value: "GET" }], headers_received_time: "2026-11-21T20:24:11.329359Z" };
  const target = { pod: "web-1", namespace: "shop", address: "10.0.0.1" };
  const response = { headers: [{ key: ":status", value: "200" }], headers_received_time: "2026-11-21T20:24:11.4Z" };
  expectValid("output/tap", tappedRequest({ http_buffered_trace: { request, response } }, target, true));
  const unanswered = tappedRequest({ http_buffered_trace: { request } }, target, false);
  expect(unanswered.status).toBeUndefined();
  expectValid("output/tap", unanswered);
});

test("the page's questions to the control plane: itself, and who signs", async () => {
  const now = Date.now();
  const root = await createRoot("cluster.local", {
    notBefore: new Date(now - 1000),
    notAfter: new Date(now + 86_400_000),
  });
  const options = { instance: "istiod-1", revision: "default", namespace: "istio-system", clusterId: "Kubernetes" };
  const questions = pageQuestions({
    options,
    ports: { http: 8080, secureGrpc: 15_012, monitoring: 15_014, https: 15_017 },
    authority: { ca: () => root, bundle: () => root.certificate },
    state: { trustDomains: () => ["cluster.local"] },
  } as unknown as Parameters<typeof pageQuestions>[0]);
  const answer = async (name: string): Promise<unknown> => {
    const told = await questions[name]?.answer(new URL("http://localhost"));
    return JSON.parse(String(told?.body));
  };
  expectValid("page/about", await answer("about"));
  const authority = (await answer("authority")) as { certificates: readonly { role: string }[] };
  expectValid("page/authority", authority);
  expect(authority.certificates.map(({ role }) => role)).toEqual(["root, signing"]);
  expect(JSON.stringify(authority)).not.toContain("PRIVATE");
});

test("dashboard mesh: who calls whom is answered there, the rest by the control plane, nothing to foreign names", async () => {
  await using answers = await proxy(() => counters({ reporter: "destination", codes: { 200: 10 } }));
  const labels = { app: "istiod" };
  const metadata = { name: "istiod-1", namespace: "istio-system", labels };
  const istiod: KubeObject = { apiVersion: "v1", kind: "Pod", metadata, status: { phase: "Running" } };
  const cluster: Cluster = {
    ...fakeCluster({ objects: [pod, istiod], portForward: answers.connect }),
    // no proxy is connected
    elsewhere: (target) => (target.pod === "istiod-1" ? Promise.resolve({ status: 200, body: "[]" }) : undefined),
  };
  const server = meshPage(
    cluster,
    { namespace: "istio-system", pod: "istiod-1", port: 15_014 },
    { err: () => undefined },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const first = (await (await fetch(`${url}/ui/observed`)).json()) as { edges: readonly unknown[] };
    expect(first.edges).toHaveLength(1);
    expectValid("page/observed", first);
    const second = (await (await fetch(`${url}/ui/observed`)).json()) as { edges: readonly unknown[]; seconds: number };
    expectValid("page/observed", second);
    const lost = (await (await fetch(`${url}/ui/lost`)).json()) as readonly unknown[];
    expectValid("page/lost", lost);
    expect(lost).not.toEqual([]);
    // nothing went on, and the call stays in the picture
    expect(second.edges).toMatchObject([{ rps: 0, requests: 0 }]);
    expect(await (await fetch(`${url}/ui/`)).text()).toBe("the page");
    expect((await fetch(`${url}/ui/none`)).status).toBe(404);
    expect((await fetch(`${url}/ui/observed`, { method: "POST" })).status).toBe(405);
    expect(await statusBy(url, "rebound.example")).toBe(403);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

/** Status of a GET that calls the server by another name, which fetch does not let one do. */
async function statusBy(url: string, host: string): Promise<number> {
  const { request } = await import("node:http");
  const call = request(`${url}/ui/observed`, { headers: { host } });
  call.end();
  const [response] = (await once(call, "response")) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}
