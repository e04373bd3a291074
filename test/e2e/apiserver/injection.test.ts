import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { injectExplain } from "../../../src/commands/inject-explain.ts";
import { injectList } from "../../../src/commands/inject-list.ts";
import type { PodLike } from "../../../src/inject/config.ts";
import { inject } from "../../../src/inject/inject.ts";
import { INJECT_LABEL } from "../../../src/model/injection.ts";
import type { ConfigMap } from "../../../src/resources/core.ts";
import type { KubeObject } from "../../../src/resources/object.ts";
import { parseYaml, toYaml } from "../../../src/resources/yaml-plain.ts";
import { type Installed, install, renderedObjects } from "../../support/controlplane/installed.ts";
import { fakeIo } from "../../support/fake-io.ts";
import { injectionContext } from "../../support/injection.ts";
import {
  ANNOTATED_POD,
  ANNOTATION_VALUES,
  annotationCases,
  annotationContext,
  contextWithTemplates,
  injectionForms,
  TEMPLATE_STACKS,
  TEMPLATED_POD,
  withNote,
} from "../../support/injection-cases.ts";
import { injectionTruthTable, type TruthRow } from "../../support/injection-table.ts";
import { createRestClient, type RestAnswer, type RestClient } from "../../support/kube/rest-client.ts";
import { waitFor } from "../../support/wait.ts";

// The injecting webhook of meshd as a real kube-apiserver asks it: every row of the truth table as a dry-run create of a bare pod,
// with the selectors, the policy and the annotations of the row, gives the table's answer.

const CONFIG: string = "istio-sidecar-injector";
const WEBHOOKS = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  name: CONFIG,
} as const;
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

/** No controller makes them here. */
async function serviceAccount(name: string, namespace: string): Promise<void> {
  await mesh.cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } });
}

/** Nothing routes service addresses here: the webhooks of an install with `--set` lines, by URL. */
async function callByUrl(set: readonly string[]): Promise<void> {
  const caBundle = Buffer.from(await mesh.roots()).toString("base64");
  const clientConfig = { url: `https://localhost:${mesh.ports.https}/inject`, caBundle };
  const rendered = renderedObjects(set).find(
    ({ kind, metadata: { name } }) => kind === WEBHOOKS.kind && name === CONFIG,
  );
  const webhooks = (rendered as KubeObject & { readonly webhooks: readonly object[] }).webhooks;
  const byUrl = webhooks.map((hook) => ({ ...hook, clientConfig }));
  await mesh.cluster.delete(WEBHOOKS);
  const labels = rendered?.metadata.labels ?? {};
  const { apiVersion, kind } = WEBHOOKS;
  await mesh.cluster.apply(
    { apiVersion, kind, metadata: { name: CONFIG, labels }, webhooks: byUrl } as KubeObject,
    own,
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
    await serviceAccount("default", name);
  }
  await mesh.startPlane();
  await callByUrl([]);
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

const folder = join(import.meta.dirname, "../../inject/testdata/pods");

/** Every pod that the goldens of test/inject are about, injected in every form that they know. */
async function injectedPods(): Promise<readonly (readonly [string, PodLike])[]> {
  const pods = readdirSync(folder)
    .filter((file) => file.endsWith(".in.yaml") && file !== "refused.in.yaml")
    .map((file) => [file, parseYaml(readFileSync(join(folder, file), "utf8")) as PodLike] as const);
  const forms = [["classic", [], {}] as const, ...injectionForms].flatMap(([form, values, more]) =>
    pods.map(([file, pod]) => [`${file}, ${form}`, inject(pod, injectionContext(values, more)).pod] as const),
  );
  const annotated = annotationCases.map(([kind, name, value]) => {
    // a mount needs its volume
    const pod = name.endsWith("/userVolumeMount")
      ? withNote("annotations", "sidecar.istio.io/userVolume", ANNOTATION_VALUES["sidecar.istio.io/userVolume"] ?? "")
      : ANNOTATED_POD;
    const noted = withNote(kind, name, value, pod);
    return [`${name}=${value}`, inject(noted, annotationContext).pod] as const;
  });
  const stacks = Object.entries(TEMPLATE_STACKS).map(async ([name, { template, names }]) => {
    const context = await contextWithTemplates({ own: template }, names);
    return [`template ${name}`, inject(TEMPLATED_POD, context).pod] as const;
  });
  return [...forms, ...annotated, ...(await Promise.all(stacks))];
}

/** apiVersion, kind and spec of each kind of workload, with this pod as its template. */
function workloadsOf({ metadata, spec }: PodLike): readonly (readonly [string, string, object])[] {
  const labels = metadata?.labels ?? {};
  const template = { metadata: { labels, annotations: metadata?.annotations ?? {} }, spec };
  const once = { ...template, spec: { ...spec, restartPolicy: "Never" } };
  const selected = { selector: { matchLabels: labels }, template };
  return [
    ["apps/v1", "Deployment", selected],
    ["apps/v1", "ReplicaSet", selected],
    ["apps/v1", "DaemonSet", selected],
    ["apps/v1", "StatefulSet", { ...selected, serviceName: "web" }],
    ["v1", "ReplicationController", { selector: labels, template }],
    ["batch/v1", "Job", { template: once }],
    ["batch/v1", "CronJob", { schedule: "@daily", jobTemplate: { spec: { template: once } } }],
  ];
}

test("a real API server takes every golden in every form, and every workload kind, as a dry run", async () => {
  const namespace = namespaceOf({ namespace: { "istio-injection": "disabled" } });
  await serviceAccount("web", namespace);
  const pods = await injectedPods();
  const refused: string[] = [];
  const dryRun = async (what: string, path: string, object: object): Promise<void> => {
    const answer: RestAnswer = await client.post(`${path}?dryRun=All`, object);
    if (answer.status !== 201) refused.push(`${what}: ${JSON.stringify(answer.body)}`);
  };
  for (const [name, pod] of pods) {
    const metadata = { name: "golden", ...pod.metadata, namespace };
    await dryRun(name, `/api/v1/namespaces/${namespace}/pods`, { ...pod, apiVersion: "v1", kind: "Pod", metadata });
  }
  const [, plain] = pods.find(([name]) => name === "plain.in.yaml, native") ?? [];
  for (const [apiVersion, kind, spec] of workloadsOf(plain as PodLike)) {
    const path = `/${apiVersion === "v1" ? "api" : "apis"}/${apiVersion}/namespaces/${namespace}/${kind.toLowerCase()}s`;
    await dryRun(kind, path, { apiVersion, kind, metadata: { name: "golden" }, spec });
  }
  expect(refused).toEqual([]);
  expect(pods.length).toBeGreaterThan(70);
});

test("with enableNamespacesByDefault the API server and the table agree, and explain reads it", async () => {
  const set = ["values.sidecarInjectorWebhook.enableNamespacesByDefault=true"];
  const map = renderedObjects(set).find(({ kind, metadata: { name } }) => kind === "ConfigMap" && name === CONFIG);
  await mesh.cluster.mergePatch(INJECTOR, { data: { values: (map as ConfigMap).data?.["values"] ?? "" } });
  await callByUrl(set);
  const rows = injectionTruthTable("by-default");
  const [plain] = rows;
  for (const policy of ["enabled", "disabled", "sometimes"]) {
    await setPolicy("enabled");
    // the API server reads its webhooks a moment later
    await waitFor(async () => isInjected(await create(podOf(plain as TruthRow))), { what: "the new webhook" });
    await setPolicy(policy);
    const wrong: TruthRow[] = [];
    for (const row of rows.filter((each) => each.policy === policy))
      if (isInjected(await create(podOf(row))) !== row.injected) wrong.push(row);
    expect(wrong).toEqual([]);
  }
  await setPolicy("enabled");
  await serviceAccount("default", "kube-system");
  const bare = podOf(plain as TruthRow);
  expect(isInjected(await create({ ...bare, metadata: { ...bare.metadata, namespace: "kube-system" } }))).toBe(false);
  const namespace = namespaceOf({ namespace: {} });
  await mesh.cluster.create({ ...bare, metadata: { ...bare.metadata, name: "by-default" } });
  const options = { files: [], pod: `by-default.${namespace}`, namespace: "default" };
  const settings = { istioNamespace: "istio-system", useCluster: false };
  const { explained } = await injectExplain(
    { ...options, settings, output: "json" },
    fakeIo({ cluster: mesh.cluster }),
  );
  expect(explained[0]).toMatchObject({ outcome: "injected", hasSidecar: true });
  expect(explained[0]?.steps.map(({ rule }) => rule)).toContain("by-default");
});
