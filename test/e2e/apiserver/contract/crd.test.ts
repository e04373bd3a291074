import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Loose, RestClient } from "../../../support/kube/rest-client.ts";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, backendNames, startBackend } from "./backends.ts";

const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const gears = "/apis/example.test/v1/namespaces/shop/gears";

const spec = {
  type: "object",
  required: ["size"],
  properties: {
    size: { type: "integer", minimum: 1, maximum: 9 },
    mode: { type: "string", enum: ["slow", "fast"], default: "slow" },
    pattern: { type: "string", pattern: "^[a-z]+$" },
    limit: { "x-kubernetes-int-or-string": true },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    labels: { type: "object", additionalProperties: { type: "string" } },
    maybe: { type: "string", nullable: true },
    teeth: {
      type: "array",
      maxItems: 3,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: {
        type: "object",
        required: ["name"],
        properties: { name: { type: "string" }, width: { type: "integer", default: 2 } },
      },
    },
    one: {
      type: "object",
      properties: { a: { type: "string" }, b: { type: "string" } },
      oneOf: [{ required: ["a"] }, { required: ["b"] }],
    },
  },
};
const status = { type: "object", properties: { replicas: { type: "integer" }, selector: { type: "string" } } };
const version = (name: string, storage: boolean): unknown => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: "object", properties: { spec, status } } },
  subresources: {
    status: {},
    scale: {
      specReplicasPath: ".spec.size",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
  },
  additionalPrinterColumns: [
    { name: "Size", type: "integer", jsonPath: ".spec.size" },
    { name: "First", type: "string", jsonPath: ".spec.teeth[0].name" },
    { name: "Wide", type: "integer", jsonPath: '.spec.teeth[?(@.name=="w")].width', priority: 1 },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  ],
  selectableFields: [{ jsonPath: ".spec.mode" }],
});
const crd = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gears.example.test" },
  spec: {
    group: "example.test",
    scope: "Namespaced",
    names: { plural: "gears", kind: "Gear", shortNames: ["gr"], categories: ["all"] },
    versions: [version("v1", true), version("v1beta1", false)],
  },
};

describe.each(backendNames)("custom resources on the %s API server", (name) => {
  let backend: Backend;
  let rest: RestClient;
  beforeAll(async () => {
    backend = await startBackend(name);
    rest = backend.rest;
    const made = await rest.post(crds, crd);
    expect(made.status).toBe(201);
    await waitFor(async () => (await rest.get(gears)).status === 200, { what: "gears are served" });
  });
  afterAll(() => backend.stop());

  const gear = (id: string, value: unknown, more: object = {}): unknown => ({
    apiVersion: "example.test/v1",
    kind: "Gear",
    metadata: { name: id },
    spec: value,
    ...more,
  });
  const causes = (body: Loose): string[] => body.details.causes.map((cause: Loose) => `${cause.field} ${cause.reason}`);

  test("its names are defaulted, it is established and discovered", async () => {
    const { body } = await rest.get(`${crds}/gears.example.test`);
    expect(body.spec.names).toMatchObject({ singular: "gear", listKind: "GearList" });
    expect(body.spec.conversion).toEqual({ strategy: "None" });
    expect(body.status.storedVersions).toEqual(["v1"]);
    expect(body.status.conditions.map((entry: Loose) => `${entry.type}=${entry.status}`).toSorted()).toEqual([
      "Established=True",
      "NamesAccepted=True",
    ]);
    const { body: group } = await rest.get("/apis/example.test");
    expect(group.preferredVersion.version).toBe("v1");
    const { body: list } = await rest.get("/apis/example.test/v1beta1");
    expect(list.resources.map((entry: Loose) => entry.name).toSorted()).toEqual([
      "gears",
      "gears/scale",
      "gears/status",
    ]);
  });

  test("defaults are filled in and unknown fields pruned, except where they are kept", async () => {
    const { status: code, body } = await rest.post(
      gears,
      gear("one", {
        size: 2,
        odd: 1,
        free: { any: { thing: 1 } },
        teeth: [{ name: "w", odd: 1 }],
        labels: { a: "b" },
        maybe: null,
      }),
    );
    expect(code).toBe(201);
    expect(body.spec).toEqual({
      size: 2,
      mode: "slow",
      free: { any: { thing: 1 } },
      teeth: [{ name: "w", width: 2 }],
      labels: { a: "b" },
      maybe: null,
    });
    expect(body.metadata.generation).toBe(1);
  });

  test("what breaks the schema is 422 with every field", async () => {
    const wrong = { size: 10, mode: "warp", pattern: "A1", limit: true, teeth: [{}, { name: "x" }, { name: "x" }] };
    const { body } = await rest.post(gears, gear("wrong", wrong));
    expect(body).toMatchObject({
      code: 422,
      reason: "Invalid",
      details: { kind: "Gear", group: "example.test", name: "wrong" },
    });
    const found = causes(body);
    for (const field of ["spec.size", "spec.mode", "spec.pattern", "spec.limit"])
      expect(found.some((text) => text.startsWith(`${field} `))).toBe(true);
    expect(found).toContain("spec.teeth[0].name FieldValueRequired");
    expect(causes((await rest.post(gears, gear("none", {}))).body)).toEqual(["spec.size FieldValueRequired"]);
    expect((await rest.post(gears, gear("both", { size: 1, one: { a: "1", b: "2" } }))).status).toBe(422);
    expect((await rest.post(gears, gear("dup", { size: 1, teeth: [{ name: "x" }, { name: "x" }] }))).status).toBe(422);
    expect((await rest.post(gears, gear("int", { size: 1, limit: "50%" }))).status).toBe(201);
  });

  test("Strict names unknown fields", async () => {
    const { body } = await rest.post(
      `${gears}?fieldValidation=Strict`,
      gear("strict", { size: 1, odd: 1, teeth: [{ name: "a", b: 1 }] }),
    );
    expect(body).toMatchObject({ code: 400, reason: "BadRequest" });
    expect(body.message).toContain('unknown field "spec.odd"');
    expect(body.message).toContain('unknown field "spec.teeth[0].b"');
  });

  test("status has its own path, and spec changes count as generations", async () => {
    const { body: made } = await rest.post(gears, gear("st", { size: 1 }, { status: { replicas: 5 } }));
    expect(made.status).toBeUndefined();
    const { body: updated } = await rest.put(`${gears}/st/status`, {
      ...made,
      spec: { size: 9 },
      status: { replicas: 3 },
    });
    expect(updated).toMatchObject({ spec: { size: 1 }, status: { replicas: 3 }, metadata: { generation: 1 } });
    const { body: changed } = await rest.patch(`${gears}/st`, "merge", { spec: { size: 4 }, status: { replicas: 8 } });
    expect(changed).toMatchObject({ spec: { size: 4 }, status: { replicas: 3 }, metadata: { generation: 2 } });
    expect((await rest.get(`${gears}/st/scale`)).body).toMatchObject({
      spec: { replicas: 4 },
      status: { replicas: 3 },
    });
    await rest.patch(`${gears}/st/scale`, "merge", { spec: { replicas: 6 } });
    expect((await rest.get(`${gears}/st`)).body.spec.size).toBe(6);
  });

  test("every served version shows the same object", async () => {
    await rest.post(gears, gear("multi", { size: 1 }));
    const { body } = await rest.get("/apis/example.test/v1beta1/namespaces/shop/gears/multi");
    expect(body).toMatchObject({ apiVersion: "example.test/v1beta1", kind: "Gear", spec: { size: 1 } });
    const { body: list } = await rest.get("/apis/example.test/v1beta1/gears");
    expect(list).toMatchObject({ apiVersion: "example.test/v1beta1", kind: "GearList" });
    const stream = await rest.watch(
      `/apis/example.test/v1beta1/gears?watch=true&resourceVersion=${list.metadata.resourceVersion}`,
    );
    await rest.patch(`${gears}/multi`, "merge", { spec: { size: 2 } });
    expect(await stream.next()).toMatchObject({
      type: "MODIFIED",
      object: { apiVersion: "example.test/v1beta1", spec: { size: 2 } },
    });
    stream.stop();
  });

  test("merge patch and apply work, strategic merge patch is 415", async () => {
    const path = `${gears}/applied?fieldManager=`;
    await rest.patch(`${path}one`, "apply", gear("applied", { size: 1, teeth: [{ name: "a", width: 1 }] }));
    const two = await rest.patch(`${path}two`, "apply", gear("applied", { size: 1, teeth: [{ name: "b", width: 2 }] }));
    expect(two.body.spec.teeth.map((tooth: Loose) => tooth.name)).toEqual(["a", "b"]);
    expect((await rest.patch(`${gears}/applied`, "strategic", { spec: { size: 2 } })).status).toBe(415);
  });

  test("printer columns and selectable fields", async () => {
    await rest.post(gears, gear("cols", { size: 7, mode: "fast", teeth: [{ name: "w", width: 4 }] }));
    const { body } = await rest.get(`${gears}?fieldSelector=spec.mode%3Dfast`, {
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    expect(body.columnDefinitions.map((column: Loose) => column.name)).toEqual([
      "Name",
      "Size",
      "First",
      "Wide",
      "Age",
    ]);
    expect(body.rows.map((row: Loose) => row.cells.slice(0, 4))).toEqual([["cols", 7, "w", 4]]);
  });

  test("its OpenAPI document has the schema and the verbs", async () => {
    const document = await waitFor(
      async () => {
        const { body: index } = await rest.get("/openapi/v3");
        const path = index.paths["apis/example.test/v1"]?.serverRelativeURL;
        return path === undefined ? undefined : (await rest.get(path)).body;
      },
      { what: "the OpenAPI document of the CRD", timeoutMs: 20_000 },
    );
    const patch = document.paths["/apis/example.test/v1/namespaces/{namespace}/gears/{name}"].patch;
    expect(patch["x-kubernetes-group-version-kind"]).toEqual({ group: "example.test", version: "v1", kind: "Gear" });
    expect(patch.parameters.map((parameter: Loose) => parameter.name)).toContain("fieldValidation");
    expect(document.components.schemas["test.example.v1.Gear"].properties.spec.properties.mode).toMatchObject({
      type: "string",
      default: "slow",
    });
  });

  test("a CRD that makes no sense is 422", async () => {
    const wrong = { ...crd, metadata: { name: "other.example.test" } };
    expect(causes((await rest.post(crds, wrong)).body)[0]).toBe("metadata.name FieldValueInvalid");
  });

  test("deleting the CRD deletes its objects and stops serving them", async () => {
    const { body: list } = await rest.get(gears);
    const stream = await rest.watch(`${gears}?watch=true&resourceVersion=${list.metadata.resourceVersion}`);
    await rest.del(`${crds}/gears.example.test`);
    expect((await stream.next()).type).toBe("DELETED");
    stream.stop();
    await waitFor(async () => (await rest.get(`${crds}/gears.example.test`)).status === 404, {
      what: "the CRD is gone",
      timeoutMs: 20_000,
    });
    await waitFor(async () => (await rest.get(gears)).status === 404, { what: "gears are no longer served" });
  });
});
