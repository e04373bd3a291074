import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RestClient } from "../../../support/kube/rest-client.ts";
import { type Backend, backendNames, startBackend } from "./backends.ts";

const maps = "/api/v1/namespaces/shop/configmaps";
const pods = "/api/v1/namespaces/shop/pods";
const deployments = "/apis/apps/v1/namespaces/shop/deployments";

function deployment(name: string, replicas?: number): unknown {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      ...(replicas === undefined ? {} : { replicas }),
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: "app", image: "example.test/app:1" }] },
      },
    },
  };
}

describe.each(backendNames)("objects on the %s API server", (name) => {
  let backend: Backend;
  let rest: RestClient;
  beforeAll(async () => {
    backend = await startBackend(name);
    rest = backend.rest;
  });
  afterAll(() => backend.stop());

  test("create gives identity, get returns the same, a second create is 409 AlreadyExists", async () => {
    const made = await rest.post(maps, { metadata: { name: "one" }, data: { a: "1" } });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: { name: "one", namespace: "shop" },
      data: { a: "1" },
    });
    expect(made.body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.body.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect((await rest.get(`${maps}/one`)).body).toEqual(made.body);
    const again = await rest.post(maps, { metadata: { name: "one" } });
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({
      kind: "Status",
      status: "Failure",
      reason: "AlreadyExists",
      code: 409,
      details: { name: "one", kind: "configmaps" },
    });
    expect(again.body.message).toBe('configmaps "one" already exists');
  });

  test("generateName makes a name; no name at all is 422", async () => {
    const made = await rest.post(maps, { metadata: { generateName: "gen-" } });
    expect(made.body.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/);
    const nameless = await rest.post(maps, { metadata: {} });
    expect(nameless.status).toBe(422);
    expect(nameless.body.details.causes[0]).toMatchObject({ reason: "FieldValueRequired", field: "metadata.name" });
  });

  test("what is not there is 404 with the words kubectl shows", async () => {
    const missing = await rest.get(`${maps}/none`);
    expect(missing.body).toMatchObject({ code: 404, reason: "NotFound", message: 'configmaps "none" not found' });
    expect((await rest.get("/apis/example.test/v1/widgets")).status).toBe(404);
    const elsewhere = await rest.post("/api/v1/namespaces/nowhere/configmaps", { metadata: { name: "x" } });
    expect(elsewhere.body).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
  });

  test("an update with an old resourceVersion is 409 Conflict, without one it wins", async () => {
    const { body: first } = await rest.post(maps, { metadata: { name: "race" }, data: { n: "0" } });
    expect((await rest.put(`${maps}/race`, { ...first, data: { n: "1" } })).status).toBe(200);
    const late = await rest.put(`${maps}/race`, { ...first, data: { n: "2" } });
    expect(late.body).toMatchObject({ code: 409, reason: "Conflict" });
    expect(late.body.message).toContain(
      "the object has been modified; please apply your changes to the latest version and try again",
    );
    const forced = await rest.put(`${maps}/race`, { metadata: { name: "race" }, data: { n: "3" } });
    expect(forced.body.data).toEqual({ n: "3" });
    expect(forced.body.metadata.uid).toBe(first.metadata.uid);
  });

  test("a write that changes nothing keeps the resourceVersion", async () => {
    const { body: made } = await rest.post(maps, { metadata: { name: "same" }, data: { a: "1" } });
    const put = await rest.put(`${maps}/same`, made);
    expect(put.body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  test("generation counts changes of the spec, not of labels or status", async () => {
    const { body: made } = await rest.post(deployments, deployment("gen"));
    expect(made.metadata.generation).toBe(1);
    const labelled = await rest.patch(`${deployments}/gen`, "merge", { metadata: { labels: { a: "b" } } });
    expect(labelled.body.metadata.generation).toBe(1);
    const scaled = await rest.patch(`${deployments}/gen`, "merge", { spec: { replicas: 3 } });
    expect(scaled.body.metadata.generation).toBe(2);
    const status = {
      ...scaled.body,
      spec: { ...scaled.body.spec, replicas: 7 },
      status: { replicas: 2, observedGeneration: 2 },
    };
    const put = await rest.put(`${deployments}/gen/status`, status);
    expect(put.body).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 3 }, status: { replicas: 2 } });
    const main = await rest.put(`${deployments}/gen`, { ...put.body, status: { replicas: 9 } });
    expect(main.body.status.replicas).toBe(2);
  });

  test("the scale subresource reads and sets replicas", async () => {
    await rest.post(deployments, deployment("scaled"));
    const scale = await rest.get(`${deployments}/scaled/scale`);
    expect(scale.body).toMatchObject({
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 1 },
      status: { selector: "app=scaled" },
    });
    const put = await rest.put(`${deployments}/scaled/scale`, { ...scale.body, spec: { replicas: 4 } });
    expect(put.body.spec.replicas).toBe(4);
    expect((await rest.get(`${deployments}/scaled`)).body.spec.replicas).toBe(4);
  });

  test("deployments are defaulted field by field", async () => {
    const { body } = await rest.post(deployments, deployment("defaults"));
    const { creationTimestamp: _, ...metadata } = body.spec.template.metadata;
    expect({ ...body.spec, template: { ...body.spec.template, metadata } }).toEqual({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      selector: { matchLabels: { app: "defaults" } },
      template: {
        metadata: { labels: { app: "defaults" } },
        spec: {
          containers: [
            {
              name: "app",
              image: "example.test/app:1",
              imagePullPolicy: "IfNotPresent",
              resources: {},
              terminationMessagePath: "/dev/termination-log",
              terminationMessagePolicy: "File",
            },
          ],
          restartPolicy: "Always",
          terminationGracePeriodSeconds: 30,
          dnsPolicy: "ClusterFirst",
          securityContext: {},
          schedulerName: "default-scheduler",
        },
      },
    });
  });

  test("a pod gets its service account's token volume, tolerations and the defaults of its probes", async () => {
    const container = {
      name: "c",
      image: "example.test/app",
      readinessProbe: { httpGet: { port: 8080 } },
      ports: [{ containerPort: 8080 }],
    };
    const { status, body } = await rest.post(pods, { metadata: { name: "plain" }, spec: { containers: [container] } });
    expect(status).toBe(201);
    const volume = body.spec.volumes[0];
    expect(volume.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume.projected).toEqual({
      defaultMode: 420,
      sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        {
          downwardAPI: {
            items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
          },
        },
      ],
    });
    expect(body.spec.containers[0]).toMatchObject({
      imagePullPolicy: "Always",
      ports: [{ containerPort: 8080, protocol: "TCP" }],
      readinessProbe: {
        httpGet: { path: "/", port: 8080, scheme: "HTTP" },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
      volumeMounts: [{ name: volume.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" }],
    });
    expect(body.spec).toMatchObject({
      serviceAccountName: "default",
      serviceAccount: "default",
      enableServiceLinks: true,
      preemptionPolicy: "PreemptLowerPriority",
      priority: 0,
    });
    expect(body.spec.tolerations).toEqual(
      ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map((key) => ({
        key,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      })),
    );
    expect(body.status).toEqual({ phase: "Pending", qosClass: "BestEffort" });
  });

  test("a pod needs its service account, containers and images, and its spec stays as it is", async () => {
    const spec = { containers: [{ name: "c", image: "i" }] };
    const unknown = await rest.post(pods, { metadata: { name: "p" }, spec: { ...spec, serviceAccountName: "ghost" } });
    expect(unknown.body).toMatchObject({ code: 403, reason: "Forbidden" });
    expect(unknown.body.message).toContain(
      'error looking up service account shop/ghost: serviceaccount "ghost" not found',
    );
    const empty = await rest.post(pods, { metadata: { name: "p" }, spec: { containers: [] } });
    expect(empty.body).toMatchObject({
      code: 422,
      reason: "Invalid",
      details: { kind: "Pod", causes: [{ field: "spec.containers" }] },
    });
    await rest.post(pods, { metadata: { name: "fixed" }, spec });
    const image = await rest.patch(`${pods}/fixed`, "json", [
      { op: "replace", path: "/spec/containers/0/image", value: "j" },
    ]);
    expect(image.status).toBe(200);
    const renamed = await rest.patch(`${pods}/fixed`, "merge", { spec: { hostNetwork: true } });
    expect(renamed.status).toBe(422);
    expect(renamed.body.message).toContain("pod updates may not change fields other than");
  });

  test("services get cluster IPs of the range, keep them, and headless ones have none", async () => {
    const services = "/api/v1/namespaces/shop/services";
    const { body } = await rest.post(services, {
      metadata: { name: "web" },
      spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
    });
    expect(body.spec).toMatchObject({
      type: "ClusterIP",
      sessionAffinity: "None",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster",
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
    });
    expect(body.spec.clusterIP).toMatch(/^10\.96\.\d+\.\d+$/);
    expect(body.spec.clusterIPs).toEqual([body.spec.clusterIP]);
    const replaced = await rest.put(`${services}/web`, {
      metadata: { name: "web", resourceVersion: body.metadata.resourceVersion },
      spec: { selector: { app: "v2" }, ports: [{ port: 81 }] },
    });
    expect(replaced.body.spec.clusterIP).toBe(body.spec.clusterIP);
    const headless = await rest.post(services, {
      metadata: { name: "headless" },
      spec: { clusterIP: "None", ports: [{ port: 80 }] },
    });
    expect(headless.body.spec.clusterIPs).toEqual(["None"]);
    const taken = await rest.post(services, {
      metadata: { name: "taken" },
      spec: { clusterIP: body.spec.clusterIP, ports: [{ port: 80 }] },
    });
    expect(taken.body).toMatchObject({ code: 422, reason: "Invalid" });
    expect(taken.body.message).toContain("provided IP is already allocated");
    const node = await rest.post(services, {
      metadata: { name: "node" },
      spec: { type: "NodePort", ports: [{ port: 80 }] },
    });
    expect(node.body.spec.ports[0].nodePort).toBeGreaterThanOrEqual(30_000);
    const portless = await rest.post(services, { metadata: { name: "portless" }, spec: {} });
    expect(portless.body.details.causes).toEqual([
      expect.objectContaining({ field: "spec.ports", reason: "FieldValueRequired" }),
    ]);
  });

  test("a workload whose selector does not match its template is refused, and a selector never changes", async () => {
    const wrong = deployment("wrong") as { spec: { selector: unknown } };
    wrong.spec.selector = { matchLabels: { app: "other" } };
    expect((await rest.post(deployments, wrong)).body.details.causes).toEqual([
      expect.objectContaining({ field: "spec.template.metadata.labels" }),
    ]);
    await rest.post(deployments, deployment("fixed"));
    const changed = await rest.patch(`${deployments}/fixed`, "merge", {
      spec: { selector: { matchLabels: { b: "c" } }, template: { metadata: { labels: { b: "c" } } } },
    });
    expect(changed.body.message).toContain("field is immutable");
  });

  test("secrets take stringData, namespaces get their name as a label", async () => {
    const secret = await rest.post("/api/v1/namespaces/shop/secrets", {
      metadata: { name: "s" },
      stringData: { a: "text" },
    });
    expect(secret.body).toMatchObject({ type: "Opaque", data: { a: Buffer.from("text").toString("base64") } });
    expect(secret.body.stringData).toBeUndefined();
    const namespace = await rest.get("/api/v1/namespaces/shop");
    expect(namespace.body).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "shop" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
  });

  test("unknown fields: Strict refuses, Warn drops and tells, Ignore drops", async () => {
    const object = (id: string): unknown => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: id, lables: {} },
      dta: {},
    });
    const strict = await rest.post(`${maps}?fieldValidation=Strict`, object("strict"));
    expect(strict.body).toMatchObject({ code: 400, reason: "BadRequest" });
    for (const part of ["strict decoding error", 'unknown field "dta"', 'unknown field "metadata.lables"'])
      expect(strict.body.message).toContain(part);
    const warned = await rest.post(`${maps}?fieldValidation=Warn`, object("warned"));
    expect(warned.status).toBe(201);
    expect(String(warned.headers["warning"])).toContain('unknown field \\"dta\\"');
    expect(warned.body.dta).toBeUndefined();
    const ignored = await rest.post(`${maps}?fieldValidation=Ignore`, object("ignored"));
    expect([ignored.status, ignored.headers["warning"]]).toEqual([201, undefined]);
  });

  test("a value of the wrong type is 400", async () => {
    const wrong = await rest.post(deployments, deployment("typed", "three" as never));
    expect(wrong.body).toMatchObject({ code: 400, reason: "BadRequest" });
    expect(wrong.body.message).toContain("cannot be handled as a Deployment");
  });

  test("bad names and labels are 422 with the field", async () => {
    const name = await rest.post(maps, { metadata: { name: "Upper_Case" } });
    expect(name.body).toMatchObject({
      code: 422,
      details: { causes: [{ reason: "FieldValueInvalid", field: "metadata.name" }] },
    });
    const label = await rest.post(maps, { metadata: { name: "l", labels: { a: "not valid!" } } });
    expect(label.body).toMatchObject({ code: 422, details: { causes: [{ field: "metadata.labels" }] } });
  });

  test("dry run answers as if and stores nothing", async () => {
    const dry = await rest.post(`${maps}?dryRun=All`, { metadata: { name: "dry" } });
    expect(dry.status).toBe(201);
    expect((await rest.get(`${maps}/dry`)).status).toBe(404);
    expect((await rest.post(`${maps}?dryRun=Some`, { metadata: { name: "dry" } })).status).toBe(422);
  });

  test("a body of the wrong kind or namespace is 400", async () => {
    const kind = await rest.post(maps, { apiVersion: "v1", kind: "Secret", metadata: { name: "x" } });
    expect(kind.status).toBe(400);
    const namespace = await rest.post(maps, { metadata: { name: "x", namespace: "other" } });
    expect(namespace.body).toMatchObject({ code: 400, reason: "BadRequest" });
    const renamed = await rest.put(`${maps}/one`, { metadata: { name: "two" } });
    expect(renamed.status).toBe(400);
  });

  test("YAML bodies are read", async () => {
    const made = await rest.post(maps, "metadata:\n  name: yaml\ndata:\n  a: 'yes'\n", { type: "application/yaml" });
    expect(made.body).toMatchObject({ metadata: { name: "yaml" }, data: { a: "yes" } });
  });
});
