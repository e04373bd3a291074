import { createConnection } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Loose, RestAnswer, RestClient } from "../../../support/kube/rest-client.ts";
import { startWebhookServer, type WebhookServer } from "../../../support/kube/webhook-server.ts";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, type BackendName, backendNames, startBackend } from "./backends.ts";
import { WEBHOOK_CASES } from "./webhook-cases.ts";

const maps = "/api/v1/namespaces/shop/configmaps";
const pods = "/api/v1/namespaces/shop/pods";
const mutating = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const validating = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
const label = (key: string, value: string): unknown[] => [{ op: "add", path: `/metadata/labels/${key}`, value }];

function isBad(request: Loose): boolean {
  return request.operation === "DELETE" || request.object?.data?.bad === "yes";
}

function answer(path: string, request: Loose): ReturnType<Parameters<typeof startWebhookServer>[0]> {
  const labels = request.object?.metadata.labels ?? {};
  switch (path) {
    case "/label":
      return { patch: label("mutated", "yes") };
    case "/sidecar":
      return {
        patch: [{ op: "add", path: "/spec/containers/-", value: { name: "sidecar", image: "s:1" } }],
        warnings: ["a sidecar was added"],
      };
    case "/deny":
      return isBad(request) ? { denied: "this is not allowed here" } : undefined;
    case "/slow":
      return { delayMs: 3000 };
    case "/count":
      return { patch: label("count", String(Number(labels.count ?? 0) + 1)) };
    case "/later":
      return { patch: label("later", "yes") };
    default:
      return undefined;
  }
}

describe.each(backendNames)("admission webhooks on the %s API server", (name: BackendName) => {
  let backend: Backend;
  let rest: RestClient;
  let hook: WebhookServer;
  beforeAll(async () => {
    backend = await startBackend(name);
    rest = backend.rest;
    hook = await startWebhookServer(answer);
    await rest.post("/api/v1/namespaces", { metadata: { name: "other" } });
    await rest.patch("/api/v1/namespaces/shop", "merge", { metadata: { labels: { hooked: "yes" } } });
  });
  afterAll(async () => {
    await hook.close();
    await backend.stop();
  });
  beforeEach(() => {
    hook.seen.length = 0;
  });
  afterEach(async () => {
    await rest.del(mutating);
    await rest.del(validating);
  });

  const rule = (resources: string[], operations = ["CREATE"]): unknown => ({
    apiGroups: [""],
    apiVersions: ["v1"],
    operations,
    resources,
  });
  const webhook = (path: string, more: object = {}): object => ({
    name: `${path.slice(1)}.example.test`,
    clientConfig: { url: `${hook.url}${path}`, caBundle: hook.caBundle },
    rules: [rule(["configmaps", "pods"])],
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    namespaceSelector: { matchLabels: { hooked: "yes" } },
    ...more,
  });
  let count = 0;
  const create = (data: object = {}, labels: object = { l: "x" }): Promise<RestAnswer> =>
    rest.post(maps, { metadata: { name: `m${count++}`, labels }, data });

  /** Registers webhooks and waits until the server uses them (the real one takes a moment). */
  async function register(path: string, webhooks: object[], works: () => Promise<boolean>): Promise<void> {
    const kind = path === mutating ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration";
    const made = await rest.post(path, {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind,
      metadata: { name: "hooks" },
      webhooks,
    });
    expect(made.status).toBe(201);
    await waitFor(works, { what: "the webhook is used" });
  }
  const labelled = async (): Promise<boolean> => (await create()).body.metadata?.labels?.mutated === "yes";

  test("a mutating webhook changes what it selects, by namespace, and sees the whole request", async () => {
    await register(mutating, [webhook("/label")], labelled);
    const { body } = await create({ a: "b" });
    expect(body.metadata.labels).toEqual({ l: "x", mutated: "yes" });
    const { request } = hook.seen.at(-1) ?? {};
    expect(request).toMatchObject({
      kind: { group: "", version: "v1", kind: "ConfigMap" },
      resource: { group: "", version: "v1", resource: "configmaps" },
      requestKind: { group: "", version: "v1", kind: "ConfigMap" },
      operation: "CREATE",
      namespace: "shop",
      dryRun: false,
      oldObject: null,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      object: { kind: "ConfigMap", apiVersion: "v1", data: { a: "b" } },
    });
    expect(request.userInfo.groups).toContain("system:masters");
    const elsewhere = await rest.post("/api/v1/namespaces/other/configmaps", { metadata: { name: `m${count++}` } });
    expect(elsewhere.body.metadata.labels).toBeUndefined();
    const dry = await rest.post(`${maps}?dryRun=All`, { metadata: { name: "dry", labels: { l: "x" } } });
    expect([dry.body.metadata.labels.mutated, hook.seen.at(-1)?.request.dryRun]).toEqual(["yes", true]);
  });

  test.each(WEBHOOK_CASES)("what a configuration must have: %s", async (_what, webhooks, causes) => {
    for (const path of [mutating, validating]) {
      const made = await rest.post(`${path}?dryRun=All`, { metadata: { name: "hooks" }, webhooks });
      const told = (made.body.details?.causes ?? []).map(
        ({ field, message }: { readonly field: string; readonly message: string }) =>
          `${field.replace(/^webhooks(?:\[0\]\.)?/, "")}: ${message}`,
      );
      expect({ status: made.status, told: told.toSorted() }).toEqual({
        status: causes.length === 0 ? 201 : 422,
        told: causes.toSorted(),
      });
    }
  });

  test("objectSelector leaves out what it does not match", async () => {
    await register(
      mutating,
      [webhook("/label", { objectSelector: { matchExpressions: [{ key: "skip", operator: "DoesNotExist" }] } })],
      labelled,
    );
    expect((await create({}, { skip: "1" })).body.metadata.labels).toEqual({ skip: "1" });
  });

  test("an injected container gets the token mounted, and the pod its defaults again", async () => {
    await register(mutating, [webhook("/sidecar")], async () => {
      const made = await rest.post(pods, {
        metadata: { name: `p${count++}` },
        spec: { containers: [{ name: "app", image: "a:1" }] },
      });
      return made.body.spec.containers.length === 2;
    });
    const { body, headers } = await rest.post(pods, {
      metadata: { generateName: "gen-" },
      spec: { containers: [{ name: "app", image: "a:1" }] },
    });
    const sidecar = body.spec.containers[1];
    expect(sidecar).toMatchObject({
      name: "sidecar",
      imagePullPolicy: "IfNotPresent",
      terminationMessagePath: "/dev/termination-log",
    });
    expect(sidecar.volumeMounts).toEqual([
      { name: body.spec.volumes[0].name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
    ]);
    expect(body.spec.volumes).toHaveLength(1);
    expect(String(headers["warning"])).toContain("a sidecar was added");
    expect(hook.seen.at(-1)?.request.object.metadata.generateName).toBe("gen-");
  });

  test("a validating webhook refuses with its words, on update and delete too", async () => {
    await register(
      validating,
      [webhook("/deny", { rules: [rule(["configmaps"], ["CREATE", "UPDATE", "DELETE"])] })],
      async () => (await create({ bad: "yes" })).status === 403,
    );
    const refused = await create({ bad: "yes" });
    expect(refused.body).toMatchObject({
      code: 403,
      message: 'admission webhook "deny.example.test" denied the request: this is not allowed here',
    });
    const { body: fine } = await create({ bad: "no" });
    const worse = await rest.patch(`${maps}/${fine.metadata.name}`, "merge", { data: { bad: "yes" } });
    expect(worse.status).toBe(403);
    expect(hook.seen.at(-1)?.request).toMatchObject({
      operation: "UPDATE",
      oldObject: { data: { bad: "no" } },
      object: { data: { bad: "yes" } },
    });
    const kept = await rest.del(`${maps}/${fine.metadata.name}`);
    expect(kept.status).toBe(403);
    expect(hook.seen.at(-1)?.request).toMatchObject({
      operation: "DELETE",
      object: null,
      oldObject: { data: { bad: "no" } },
    });
    expect((await rest.get(`${maps}/${fine.metadata.name}`)).status).toBe(200);
  });

  test("failurePolicy: Fail refuses when the webhook cannot be asked, Ignore goes on; the timeout counts", async () => {
    const nobody = { clientConfig: { url: "https://127.0.0.1:9/none", caBundle: hook.caBundle } };
    await register(mutating, [webhook("/fail", nobody)], async () => (await create()).status === 500);
    const refused = await create();
    expect(refused.body).toMatchObject({ code: 500, reason: "InternalError" });
    expect(refused.body.message).toContain('failed calling webhook "fail.example.test"');
    await rest.del(`${mutating}/hooks`);
    const slow = webhook("/slow", { timeoutSeconds: 1, failurePolicy: "Ignore" });
    await register(mutating, [slow, webhook("/label")], labelled);
    const began = Date.now();
    expect((await create()).status).toBe(201);
    expect(Date.now() - began).toBeLessThan(2900);
  });

  test("a certificate of another CA is not trusted", async () => {
    const stranger = await startWebhookServer(answer);
    try {
      const config = { clientConfig: { url: `${hook.url}/label`, caBundle: stranger.caBundle } };
      await register(mutating, [webhook("/label", config)], async () => (await create()).status === 500);
      expect((await create()).body.message).toMatch(/certificate|unknown authority/);
    } finally {
      await stranger.close();
    }
  });

  test("reinvocationPolicy IfNeeded: asked again when a later webhook changed the object", async () => {
    await register(
      mutating,
      [webhook("/count", { reinvocationPolicy: "IfNeeded" }), webhook("/later")],
      async () => (await create()).body.metadata.labels.later === "yes",
    );
    expect((await create()).body.metadata.labels).toEqual({ l: "x", later: "yes", count: "2" });
  });

  test("empty lists and maps are left out before webhooks see them: a patch below them does not fit", async () => {
    await register(mutating, [webhook("/label")], labelled);
    expect((await create({}, {})).body).toMatchObject({ code: 500, reason: "InternalError" });
    expect(hook.seen.at(-1)?.request.object.metadata.labels).toBeUndefined();
  });

  test("webhooks are not asked about webhooks", async () => {
    const all = {
      rules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*"] }],
      namespaceSelector: {},
    };
    await register(validating, [webhook("/deny", all)], async () => {
      await create();
      return hook.seen.length > 0;
    });
    expect((await rest.del(`${validating}/hooks`)).status).toBe(200);
  });
});

test("the embedded endpoint reaches a webhook's service through its resolver, and checks the service's name", async () => {
  const backend = await startBackend("embedded");
  const hook = await startWebhookServer(answer, { dns: ["injector.mesh.svc"] });
  try {
    const asked: string[] = [];
    backend.api?.setServiceResolver(async (namespace, service, port) => {
      asked.push(`${namespace}/${service}:${port}`);
      return Promise.resolve(
        port === 443
          ? { host: "127.0.0.1", port: hook.port }
          : { host: "", port: 0, dial: async () => Promise.resolve(createConnection(hook.port, "127.0.0.1")) },
      );
    });
    for (const [id, port] of [
      ["a", 443],
      ["b", 8443],
    ] as const) {
      const config = {
        service: { namespace: "mesh", name: "injector", path: "/label", port },
        caBundle: hook.caBundle,
      };
      const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }];
      const webhooks = [
        { name: "a.example.test", clientConfig: config, rules, admissionReviewVersions: ["v1"], sideEffects: "None" },
      ];
      await backend.rest.post(mutating, { metadata: { name: id }, webhooks });
      const made = await backend.rest.post(maps, { metadata: { name: id, labels: { l: "x" } } });
      expect(made.body.metadata.labels).toEqual({ l: "x", mutated: "yes" });
      await backend.rest.del(`${mutating}/${id}`);
    }
    expect(asked).toEqual(["mesh/injector:443", "mesh/injector:8443"]);
    const wrong = { service: { namespace: "mesh", name: "impostor", path: "/label" }, caBundle: hook.caBundle };
    const rules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["configmaps"] }];
    await backend.rest.post(mutating, {
      metadata: { name: "w" },
      webhooks: [
        { name: "w.example.test", clientConfig: wrong, rules, admissionReviewVersions: ["v1"], sideEffects: "None" },
      ],
    });
    const refused = await backend.rest.post(maps, { metadata: { name: "w", labels: { l: "x" } } });
    expect(refused.body).toMatchObject({ code: 500 });
    expect(refused.body.message).toContain("impostor.mesh.svc");
  } finally {
    await hook.close();
    await backend.stop();
  }
});
