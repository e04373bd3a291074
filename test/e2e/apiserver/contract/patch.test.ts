import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Loose, RestClient } from "../../../support/kube/rest-client.ts";
import { type Backend, backendNames, startBackend } from "./backends.ts";

const maps = "/api/v1/namespaces/shop/configmaps";
const pods = "/api/v1/namespaces/shop/pods";
const deployments = "/apis/apps/v1/namespaces/shop/deployments";

function deployment(name: string): unknown {
  const containers = [
    {
      name: "a",
      image: "i:1",
      ports: [{ containerPort: 80, name: "http" }],
      env: [
        { name: "X", value: "1" },
        { name: "Y", value: "2" },
      ],
    },
    { name: "b", image: "i:1", args: ["one", "two"] },
  ];
  const template = {
    metadata: { labels: { app: name } },
    spec: { containers, tolerations: [{ key: "k", operator: "Exists" }] },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, template },
  };
}

const containers = (body: Loose): Loose[] => body.spec.template.spec.containers;

describe.each(backendNames)("patches on the %s API server", (name) => {
  let backend: Backend;
  let rest: RestClient;
  beforeAll(async () => {
    backend = await startBackend(name);
    rest = backend.rest;
  });
  afterAll(() => backend.stop());

  test("ephemeral containers are put into a pod by their own path alone, and stay as they are", async () => {
    const path = `${pods}/debugged/ephemeralcontainers`;
    const of = (list: readonly unknown[]) => ({ spec: { ephemeralContainers: list } });
    const one = { name: "one", image: "i:1" };
    const spec = { containers: [{ name: "app", image: "i" }] };
    const refused = async (made: ReturnType<typeof rest.patch>, words: string): Promise<void> => {
      const { status, body } = await made;
      expect([status, body.message]).toEqual([422, expect.stringContaining(words)]);
    };
    const early = { metadata: { name: "debugged" }, spec: { ...spec, ephemeralContainers: [one] } };
    await refused(rest.post(pods, early), "spec.ephemeralContainers: Forbidden: cannot be set on create");
    expect((await rest.post(pods, { metadata: { name: "debugged" }, spec })).status).toBe(201);
    const added = await rest.patch(path, "merge", of([one]));
    const given: readonly Loose[] = added.body.spec.ephemeralContainers;
    expect([added.status, given]).toMatchObject([200, [{ ...one, terminationMessagePolicy: "File" }]]);
    expect((await rest.get(`${pods}/debugged`)).body.spec).toEqual(added.body.spec);
    const existing = 'spec.ephemeralContainers: Forbidden: existing ephemeral containers "one" may not be';
    await refused(rest.patch(path, "merge", of([{ ...given[0], image: "i:2" }])), `${existing} changed`);
    await refused(rest.patch(path, "merge", of([])), `${existing} removed`);
    const twice = of([...given, { name: "app", image: "i" }]);
    await refused(rest.patch(path, "merge", twice), 'spec.ephemeralContainers[1].name: Duplicate value: "app"');
    const ports = of([...given, { name: "two", image: "i", ports: [{ containerPort: 80 }] }]);
    const unfit = "spec.ephemeralContainers[1].ports: Forbidden: cannot be set for an Ephemeral Container";
    await refused(rest.patch(path, "merge", ports), unfit);
    const two = { name: "two", image: "i", targetContainerName: "app" };
    await refused(rest.patch(`${pods}/debugged`, "merge", of([...given, two])), "pod updates may not change fields");
    // what else such a write says is not heard
    const more = { metadata: { labels: { a: "b" } }, spec: { ...of([two]).spec, hostname: "other" } };
    const { body } = await rest.patch(path, "strategic", more);
    expect(body.spec.ephemeralContainers.map(({ name: of }: Loose) => of).toSorted()).toEqual(["one", "two"]);
    expect([body.metadata.labels, body.spec.hostname]).toEqual([undefined, undefined]);
    expect((await rest.get(path)).body.metadata.name).toBe("debugged");
  });

  test("merge patch sets, nests, deletes by null and replaces lists", async () => {
    await rest.post(maps, {
      metadata: { name: "m", labels: { a: "1", b: "2" }, finalizers: ["example.test/x", "example.test/y"] },
      data: { k: "v" },
    });
    const { status, body } = await rest.patch(`${maps}/m`, "merge", {
      metadata: { labels: { a: null, c: "3" }, finalizers: ["example.test/z"] },
      data: { k: "w" },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      metadata: { labels: { b: "2", c: "3" }, finalizers: ["example.test/z"] },
      data: { k: "w" },
    });
    expect(body.metadata.labels.a).toBeUndefined();
    await rest.patch(`${maps}/m`, "merge", { metadata: { finalizers: null } });
  });

  test("JSON patch adds, removes, tests, moves; what does not fit is 422, what is no patch 400", async () => {
    await rest.post(maps, { metadata: { name: "j" }, data: { a: "1", b: "2" } });
    const { body } = await rest.patch(`${maps}/j`, "json", [
      { op: "test", path: "/data/a", value: "1" },
      { op: "add", path: "/data/c", value: "3" },
      { op: "remove", path: "/data/b" },
      { op: "move", from: "/data/a", path: "/data/moved" },
      { op: "add", path: "/metadata/labels", value: { "example.test/x": "y" } },
    ]);
    expect(body.data).toEqual({ c: "3", moved: "1" });
    expect((await rest.patch(`${maps}/j`, "json", [{ op: "test", path: "/data/c", value: "no" }])).status).toBe(422);
    expect((await rest.patch(`${maps}/j`, "json", [{ op: "remove", path: "/data/none" }])).status).toBe(422);
    expect((await rest.patch(`${maps}/j`, "json", { data: {} })).status).toBe(400);
  });

  test("strategic merge patch merges lists by their merge key", async () => {
    await rest.post(deployments, deployment("s"));
    const patch = {
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: "a",
                image: "i:2",
                env: [
                  { name: "Y", value: "9" },
                  { name: "Z", value: "3" },
                ],
              },
            ],
          },
        },
      },
    };
    const { body } = await rest.patch(`${deployments}/s`, "strategic", patch);
    expect(containers(body).map((container) => [container.name, container.image])).toEqual([
      ["a", "i:2"],
      ["b", "i:1"],
    ]);
    const env = Object.fromEntries(containers(body)[0].env.map((entry: Loose) => [entry.name, entry.value]));
    expect(env).toEqual({ X: "1", Y: "9", Z: "3" });
    expect(containers(body)[0].ports).toEqual([{ containerPort: 80, name: "http", protocol: "TCP" }]);
  });

  test("strategic directives: delete an item, replace a list, set the order, keep only some keys", async () => {
    await rest.post(deployments, deployment("d"));
    const spec = (value: unknown): unknown => ({ spec: { template: { spec: value } } });
    const gone = await rest.patch(
      `${deployments}/d`,
      "strategic",
      spec({ containers: [{ name: "b", $patch: "delete" }] }),
    );
    expect(containers(gone.body).map((container) => container.name)).toEqual(["a"]);
    const ordered = await rest.patch(
      `${deployments}/d`,
      "strategic",
      spec({
        "$setElementOrder/containers": [{ name: "n" }, { name: "a" }],
        containers: [{ name: "n", image: "i:3" }],
      }),
    );
    expect(containers(ordered.body).map((container) => container.name)).toEqual(["n", "a"]);
    const env = await rest.patch(
      `${deployments}/d`,
      "strategic",
      spec({ containers: [{ name: "a", env: [{ $patch: "replace" }, { name: "ONLY", value: "1" }] }] }),
    );
    expect(containers(env.body).find((container) => container.name === "a").env).toEqual([
      { name: "ONLY", value: "1" },
    ]);
    const strategy = await rest.patch(`${deployments}/d`, "strategic", {
      spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } },
    });
    expect(strategy.body.spec.strategy).toEqual({ type: "Recreate" });
    const lists = await rest.patch(
      `${deployments}/d`,
      "strategic",
      spec({ tolerations: [{ key: "other", operator: "Exists" }] }),
    );
    expect(lists.body.spec.template.spec.tolerations).toEqual([{ key: "other", operator: "Exists" }]);
  });

  test("strategic merge of scalars with strategy merge: finalizers", async () => {
    await rest.post(maps, { metadata: { name: "f", finalizers: ["example.test/a", "example.test/b"] } });
    const added = await rest.patch(`${maps}/f`, "strategic", { metadata: { finalizers: ["example.test/c"] } });
    expect(added.body.metadata.finalizers.toSorted()).toEqual(["example.test/a", "example.test/b", "example.test/c"]);
    const removed = await rest.patch(`${maps}/f`, "strategic", {
      metadata: { "$deleteFromPrimitiveList/finalizers": ["example.test/a"] },
    });
    expect(removed.body.metadata.finalizers.toSorted()).toEqual(["example.test/b", "example.test/c"]);
  });

  test("a patch with an old resourceVersion is 409, a patch of what is not there 404, an unknown type 415", async () => {
    const { body } = await rest.post(maps, { metadata: { name: "old" } });
    await rest.patch(`${maps}/old`, "merge", { data: { a: "1" } });
    const late = await rest.patch(`${maps}/old`, "merge", {
      metadata: { resourceVersion: body.metadata.resourceVersion },
      data: { a: "2" },
    });
    expect(late.body).toMatchObject({ code: 409, reason: "Conflict" });
    expect((await rest.patch(`${maps}/none`, "merge", {})).status).toBe(404);
    expect((await rest.call("PATCH", `${maps}/old`, {}, { type: "application/json" })).status).toBe(415);
  });
});

describe.each(backendNames)("server-side apply on the %s API server", (name) => {
  let backend: Backend;
  let rest: RestClient;
  beforeAll(async () => {
    backend = await startBackend(name);
    rest = backend.rest;
  });
  afterAll(() => backend.stop());

  const map = (id: string, data: Record<string, string>, labels?: Record<string, string>): unknown => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: id, ...(labels === undefined ? {} : { labels }) },
    data,
  });
  const apply = (id: string, manager: string, body: unknown, force = false): ReturnType<RestClient["patch"]> =>
    rest.patch(`${maps}/${id}?fieldManager=${manager}${force ? "&force=true" : ""}`, "apply", body);
  const managers = (body: Loose): string[] =>
    (body.metadata.managedFields ?? [])
      .map((entry: Loose) => `${entry.manager} ${entry.operation} ${JSON.stringify(entry.fieldsV1)}`)
      .toSorted();

  test("creates what is not there (201) and says who owns what", async () => {
    const made = await apply("new", "one", map("new", { a: "1" }, { l: "x" }));
    expect(made.status).toBe(201);
    expect(managers(made.body)).toEqual(['one Apply {"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:l":{}}}}']);
    const again = await apply("new", "one", map("new", { a: "1" }, { l: "x" }));
    expect(again.status).toBe(200);
    expect(again.body.metadata.resourceVersion).toBe(made.body.metadata.resourceVersion);
  });

  test("needs a field manager, and no managedFields in the body", async () => {
    expect((await rest.patch(`${maps}/nm`, "apply", map("nm", {}))).status).toBeGreaterThanOrEqual(400);
    const own = { ...(map("nm", {}) as object), metadata: { name: "nm", managedFields: [] } };
    expect((await apply("nm", "one", own)).status).toBeLessThan(500);
  });

  test("what a manager no longer applies goes, unless another owns it", async () => {
    await apply("drop", "one", map("drop", { a: "1", b: "2" }));
    await apply("drop", "two", map("drop", { b: "2", c: "3" }));
    const { body } = await apply("drop", "one", map("drop", {}));
    expect(body.data).toEqual({ b: "2", c: "3" });
  });

  test("changing what another owns is a conflict; force takes it over", async () => {
    await apply("fight", "one", map("fight", { a: "1" }));
    const refused = await apply("fight", "two", map("fight", { a: "2" }));
    expect(refused.body).toMatchObject({ code: 409, reason: "Conflict" });
    expect(refused.body.details.causes).toEqual([
      { reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".data.a" },
    ]);
    expect(refused.body.message).toContain('Apply failed with 1 conflict: conflict with "one": .data.a');
    const forced = await apply("fight", "two", map("fight", { a: "2" }), true);
    expect(forced.body.data).toEqual({ a: "2" });
    expect(managers(forced.body)).toEqual(['two Apply {"f:data":{"f:a":{}}}']);
  });

  test("the same value is shared, not fought over", async () => {
    await apply("share", "one", map("share", { a: "1" }));
    const shared = await apply("share", "two", map("share", { a: "1" }));
    expect(shared.status).toBe(200);
    expect(managers(shared.body)).toHaveLength(2);
    const left = await apply("share", "one", map("share", {}));
    expect(left.body.data).toEqual({ a: "1" });
  });

  test("an ordinary update owns what it changes", async () => {
    await apply("upd", "one", map("upd", { a: "1", b: "1" }));
    await rest.patch(`${maps}/upd?fieldManager=editor`, "merge", { data: { a: "2" } });
    const refused = await apply("upd", "one", map("upd", { a: "1", b: "1" }));
    expect(refused.body.details.causes[0].message).toBe('conflict with "editor" using v1');
    const without = await apply("upd", "one", map("upd", { b: "1" }));
    expect(without.body.data).toEqual({ a: "2", b: "1" });
  });

  test("lists merge by their keys: containers, ports, env; atomic lists are replaced", async () => {
    const body = (containers_: unknown[]): unknown => ({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "lists" },
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: { containers: containers_ } },
      },
    });
    const path = `${deployments}/lists?force=true&fieldManager=`;
    await rest.patch(
      `${path}one`,
      "apply",
      body([{ name: "x", image: "i", args: ["1"], ports: [{ containerPort: 80 }], env: [{ name: "A", value: "1" }] }]),
    );
    const two = await rest.patch(
      `${path}two`,
      "apply",
      body([
        { name: "x", env: [{ name: "B", value: "2" }] },
        { name: "y", image: "j" },
      ]),
    );
    expect(
      containers(two.body)
        .map((container): string => container.name)
        .toSorted(),
    ).toEqual(["x", "y"]);
    const x = containers(two.body).find((container) => container.name === "x");
    expect(x.env.map((entry: Loose) => entry.name).toSorted()).toEqual(["A", "B"]);
    expect(x.ports).toEqual([{ containerPort: 80, protocol: "TCP" }]);
    const three = await rest.patch(`${path}one`, "apply", body([{ name: "x", image: "i", args: ["2"] }]));
    const after = containers(three.body).find((container) => container.name === "x");
    expect(after.args).toEqual(["2"]);
    expect([after.ports, after.env.map((entry: Loose) => entry.name)]).toEqual([undefined, ["B"]]);
    const gone = await rest.patch(`${path}two`, "apply", body([]));
    expect(containers(gone.body).map((container) => container.name)).toEqual(["x"]);
    expect(containers(gone.body)[0].env).toBeUndefined();
  });

  test("Service ports merge by port and protocol", async () => {
    const service = (ports: unknown[]): unknown => ({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "svc" },
      spec: { ports },
    });
    const path = "/api/v1/namespaces/shop/services/svc?fieldManager=";
    await rest.patch(`${path}one`, "apply", service([{ name: "http", port: 80 }]));
    const two = await rest.patch(`${path}two`, "apply", service([{ name: "dns", port: 80, protocol: "UDP" }]));
    expect(two.body.spec.ports.map((port: Loose) => `${port.name} ${port.port}/${port.protocol}`).toSorted()).toEqual([
      "dns 80/UDP",
      "http 80/TCP",
    ]);
  });

  test("status is applied through its own path", async () => {
    await rest.post(deployments, deployment("st"));
    const status = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "st" },
      spec: { replicas: 9 },
      status: { replicas: 3 },
    };
    const { body } = await rest.patch(`${deployments}/st/status?fieldManager=ctl&force=true`, "apply", status);
    expect(body).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 3 } });
    const entry = body.metadata.managedFields.find((item: Loose) => item.manager === "ctl");
    expect(entry).toMatchObject({
      operation: "Apply",
      subresource: "status",
      fieldsV1: { "f:status": { "f:replicas": {} } },
    });
  });

  test("a YAML configuration is read, unknown fields are refused", async () => {
    const yaml = await rest.call(
      "PATCH",
      `${maps}/yam?fieldManager=one`,
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yam\ndata:\n  a: b\n",
      { type: "application/apply-patch+yaml" },
    );
    expect(yaml.body.data).toEqual({ a: "b" });
    const wrong = await rest.patch(`${maps}/w?fieldManager=one&fieldValidation=Strict`, "apply", {
      ...(map("w", {}) as object),
      dta: {},
    });
    expect(wrong.status).toBeGreaterThanOrEqual(400);
    expect(wrong.body.message).toContain("dta");
  });

  test("a dry run of an apply stores nothing", async () => {
    const dry = await rest.patch(`${maps}/dry?fieldManager=one&dryRun=All`, "apply", map("dry", { a: "1" }));
    expect(dry.body.data).toEqual({ a: "1" });
    expect((await rest.get(`${maps}/dry`)).status).toBe(404);
  });
});
