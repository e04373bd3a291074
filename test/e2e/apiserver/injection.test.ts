import { afterAll, beforeAll, expect, test } from "vitest";
import { injectExplain } from "../../../src/commands/inject-explain.ts";
import { injectList } from "../../../src/commands/inject-list.ts";
import { INJECT_LABEL } from "../../../src/model/injection.ts";
import type { ConfigMap } from "../../../src/resources/core.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { parseYaml, toYaml } from "../../../src/resources/yaml-plain.ts";
import { type Installed, install } from "../../support/controlplane/installed.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { injectionTruthTable, type TruthRow } from "../../support/injection-table.ts";
import { createRestClient, type RestAnswer, type RestClient } from "../../support/kube/rest-client.ts";
import { waitFor } from "../../support/wait.ts";

// The injecting webhook of meshd as a real kube-apiserver asks it: every row of the truth table as a dry-run create of a bare pod,
// with the selectors, the policy and the annotations of the row, gives the table's answer.

const CONFIG: string = "istio-sidecar-injector";
const WEBHOOKS = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration", name: CONFIG };
const INJECTOR = { apiVersion: "v1", kind: "ConfigMap", namespace: "istio-system", name: CONFIG };
const own = { fieldManager: "test", force: true };

let mesh: Installed;
let client: RestClient;
const table = injectionTruthTable();
const namespaces = [...new Set(table.map((row) => JSON.stringify(row.namespace)))];
const namespaceOf = (row: Pick<TruthRow, "namespace">): string =>
  `ns-${namespaces.indexOf(JSON.stringify(row.namespace))}`;

function podOf(row: TruthRow): KubeObject {
  const annotations = row.annotation === undefined ? {} : { [INJECT_LABEL]: row.annotation };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "bare", namespace: namespaceOf(row), labels: row.pod, annotations },
    spec: { containers: [{ name: "app", image: "example.test/app:1" }] },
  };
}

function create(pod: KubeObject): Promise<RestAnswer> {
  return client.post(`/api/v1/namespaces/${pod.metadata.namespace}/pods?dryRun=All`, pod);
}

function isInjected({ status, body }: RestAnswer): boolean {
  if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
  const { containers, initContainers = [] } = (body as { spec: Record<string, { name: string }[]> }).spec;
  return [...(containers ?? []), ...initContainers].some(({ name }) => name === "istio-proxy");
}

async function setPolicy(policy: string): Promise<void> {
  const map = (await mesh.cluster.get(INJECTOR)) as ConfigMap;
  const config = toYaml({ ...(parseYaml(map.data?.["config"] ?? "") as object), policy });
  await mesh.cluster.mergePatch(INJECTOR, { data: { config } });
  // meshd has it when a pod whose answer depends on it is answered so
  const asking = { namespace: {}, pod: { "istio.io/rev": "default" }, annotation: undefined, webhook: undefined };
  await waitFor(
    async () => isInjected(await create(podOf({ ...asking, policy, injected: true }))) === (policy === "enabled"),
    {
      what: `policy ${policy}`,
    },
  );
}

beforeAll(async () => {
  mesh = await install();
  client = createRestClient({ url: mesh.server.url, ca: mesh.server.caPem, token: mesh.server.adminToken });
  for (const [index, labels] of namespaces.entries()) {
    const name = `ns-${index}`;
    await mesh.cluster.create({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels: JSON.parse(labels) as Record<string, string> },
    });
    await mesh.cluster.create({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "default", namespace: name },
    });
  }
  await mesh.startPlane();
  const caBundle = Buffer.from(await mesh.roots()).toString("base64");
  // nothing routes service addresses here: the same webhooks by URL
  const installed = (await mesh.cluster.get(WEBHOOKS)) as KubeObject & { readonly webhooks: readonly object[] };
  const byUrl = installed.webhooks.map((hook) => ({
    ...hook,
    clientConfig: { url: `https://localhost:${mesh.ports.https}/inject`, caBundle },
  }));
  await mesh.cluster.delete(WEBHOOKS);
  const { apiVersion, kind, metadata } = installed;
  const labels = metadata.labels ?? {};
  await mesh.cluster.apply(
    { apiVersion, kind, metadata: { name: CONFIG, labels }, webhooks: byUrl } as KubeObject,
    own,
  );
}, 60_000);

afterAll(async () => {
  client?.close();
  await mesh?.stop();
});

test.each(["enabled", "disabled", "sometimes"])(
  "policy %s: the API server and the table agree about every row",
  async (policy) => {
    if (policy !== "enabled") await setPolicy("enabled");
    await setPolicy(policy);
    const rows = table.filter((row) => row.policy === policy);
    const wrong: TruthRow[] = [];
    for (let at = 0; at < rows.length; at += 16)
      await Promise.all(
        rows.slice(at, at + 16).map(async (row) => {
          if (isInjected(await create(podOf(row))) !== row.injected) wrong.push(row);
        }),
      );
    expect(wrong).toEqual([]);
    expect(rows).toHaveLength(256);
  },
);

test("inject explain reads the same from the cluster, inject list names the namespaces served", async () => {
  await setPolicy("enabled");
  const io = fakeIo({ cluster: mesh.cluster });
  const settings = { istioNamespace: "istio-system", useCluster: false };
  const rows = [
    ...new Map(
      table
        .filter(({ policy, annotation }) => policy === "enabled" && annotation === undefined)
        .map((row) => [namespaceOf(row), row]),
    ).values(),
  ];
  for (const row of rows) {
    // a pod that is there, made before anybody asked
    const name = `there-${namespaceOf(row)}`;
    await mesh.cluster.create({ ...podOf(row), metadata: { ...podOf(row).metadata, name } });
    const options = {
      files: [],
      pod: `${name}.${namespaceOf(row)}`,
      namespace: "default",
      settings,
      output: "json" as const,
    };
    const { explained, exitCode } = await injectExplain(options, io);
    expect(explained[0]?.hasSidecar).toBe(row.injected);
    expect(explained[0]?.outcome).toBe(row.injected ? "injected" : "not-injected");
    expect(exitCode).toBe(row.injected ? 0 : 1);
  }
  const { injectors, unserved } = await injectList({ istioNamespace: "istio-system", output: "json" }, io);
  const served = namespaces.flatMap((labels, index) =>
    /enabled|default/.test(labels) && !/disabled/.test(labels) ? [`ns-${index}`] : [],
  );
  expect(injectors).toMatchObject([{ name: CONFIG, revision: "default", policy: "enabled", namespaces: served }]);
  expect(unserved.map(({ namespace }) => namespace)).toEqual([namespaceOf({ namespace: { "istio.io/rev": "other" } })]);
});

test("a pod with a bad annotation is refused in our words; a suspicious one gets a warning; a dry run leaves nothing", async () => {
  const [row] = table.filter(({ webhook, annotation }) => webhook === "namespace" && annotation === undefined);
  const pod = podOf(row as TruthRow);
  const annotated = (annotations: Record<string, string>): KubeObject => ({
    ...pod,
    metadata: { ...pod.metadata, annotations },
  });
  const refused = await create(annotated({ "sidecar.istio.io/proxyCPU": "lots" }));
  expect(refused.status).toBe(400);
  expect((refused.body as { message: string }).message).toMatch(/sidecar\.istio\.io\/proxyCPU.*lots/);
  const odd = { ...pod, spec: { ...(pod.spec as object), dnsPolicy: "Default" } };
  const answer = await create(odd);
  expect(String(answer.headers["warning"])).toContain("dnsPolicy");
  expect(
    await mesh.cluster.get({ apiVersion: "v1", kind: "Pod", namespace: namespaceOf(row as TruthRow), name: "bare" }),
  ).toBeUndefined();
});

test("garbage at the webhook's door is refused, and the next pod is injected; metrics count", async () => {
  const { request } = await import("node:https");
  const post = (body: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const call = request(
        { host: "localhost", port: mesh.ports.https, path: "/inject", method: "POST", rejectUnauthorized: false },
        (answer) => {
          answer.resume();
          answer.on("end", () => resolve(answer.statusCode ?? 0));
        },
      );
      call.on("error", reject);
      call.end(body);
    });
  const review = (object: unknown): string =>
    JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { uid: "1", object } });
  for (const body of ["", "{", "null", "[]", '"x"', '{"kind":"AdmissionReview"}', review(7), review({ kind: "Pod" })])
    expect(await post(body), body).toBe(400);
  expect(await post(review({ apiVersion: "v1", kind: "Pod", metadata: {}, spec: { containers: "none" } }))).toBe(200);
  const [row] = table.filter(({ injected }) => injected);
  expect(isInjected(await create(podOf(row as TruthRow)))).toBe(true);
  const metrics = await (await fetch(`http://127.0.0.1:${mesh.ports.monitoring}/metrics`)).text();
  for (const name of ["requests_total", "success_total", "failure_total", "skip_total", "time_seconds_count"])
    expect(metrics).toMatch(new RegExp(`^sidecar_injection_${name} [1-9]`, "m"));
});
