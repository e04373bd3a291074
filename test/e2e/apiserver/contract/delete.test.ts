import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RestClient } from "../../../support/kube/rest-client.ts";
import { type Backend, backendNames, startBackend } from "./backends.ts";

const maps = "/api/v1/namespaces/shop/configmaps";
const pods = "/api/v1/namespaces/shop/pods";

describe.each(backendNames)("deletion on the %s API server", (name) => {
  let backend: Backend;
  let rest: RestClient;
  beforeAll(async () => {
    backend = await startBackend(name);
    rest = backend.rest;
  });
  afterAll(() => backend.stop());

  test("an object without finalizers is gone at once, a second delete is 404", async () => {
    const { body } = await rest.post(maps, { metadata: { name: "plain" } });
    const gone = await rest.del(`${maps}/plain`);
    expect(gone.status).toBe(200);
    expect(gone.body).toMatchObject({
      kind: "Status",
      status: "Success",
      details: { name: "plain", kind: "configmaps", uid: body.metadata.uid },
    });
    expect((await rest.del(`${maps}/plain`)).status).toBe(404);
  });

  test("finalizers hold it, with a deletionTimestamp, until the last is taken off", async () => {
    await rest.post(maps, { metadata: { name: "held", finalizers: ["example.test/a"] } });
    const held = await rest.del(`${maps}/held`);
    expect(held.body).toMatchObject({
      kind: "ConfigMap",
      metadata: { deletionGracePeriodSeconds: 0, finalizers: ["example.test/a"] },
    });
    expect(held.body.metadata.deletionTimestamp).toMatch(/Z$/);
    const undo = await rest.patch(`${maps}/held`, "merge", { metadata: { deletionTimestamp: null } });
    expect(undo.body.metadata.deletionTimestamp).toBe(held.body.metadata.deletionTimestamp);
    expect((await rest.patch(`${maps}/held`, "merge", { metadata: { finalizers: [] } })).status).toBe(200);
    expect((await rest.get(`${maps}/held`)).status).toBe(404);
  });

  test.each([
    ["Foreground", "foregroundDeletion"],
    ["Orphan", "orphan"],
  ])(
    "propagationPolicy %s leaves work for garbage collection as finalizer %s",
    async (propagationPolicy, finalizer) => {
      const id = finalizer.toLowerCase();
      await rest.post(maps, { metadata: { name: id } });
      const { body } = await rest.del(`${maps}/${id}`, { propagationPolicy });
      expect(body.metadata.finalizers).toEqual([finalizer]);
      await rest.patch(`${maps}/${id}`, "merge", { metadata: { finalizers: null } });
      expect((await rest.get(`${maps}/${id}`)).status).toBe(404);
    },
  );

  test("preconditions: another uid or resourceVersion is 409", async () => {
    await rest.post(maps, { metadata: { name: "pre" } });
    const uid = await rest.del(`${maps}/pre`, { preconditions: { uid: "11111111-2222-3333-4444-555555555555" } });
    expect(uid.body).toMatchObject({ code: 409, reason: "Conflict" });
    expect(uid.body.message).toContain(
      "the UID in the precondition (11111111-2222-3333-4444-555555555555) does not match the UID in record",
    );
    expect((await rest.del(`${maps}/pre`, { preconditions: { resourceVersion: "1" } })).status).toBe(409);
  });

  test("a pod on a node is given time; grace 0 ends it", async () => {
    const spec = { containers: [{ name: "c", image: "i" }], nodeName: "n1", terminationGracePeriodSeconds: 7 };
    await rest.post(pods, { metadata: { name: "running" }, spec });
    const { body } = await rest.del(`${pods}/running`);
    expect(body.metadata.deletionGracePeriodSeconds).toBe(7);
    expect((await rest.get(`${pods}/running`)).status).toBe(200);
    const shorter = await rest.del(`${pods}/running`, { gracePeriodSeconds: 3 });
    expect(shorter.body.metadata.deletionGracePeriodSeconds).toBe(3);
    await rest.del(`${pods}/running?gracePeriodSeconds=0`);
    expect((await rest.get(`${pods}/running`)).status).toBe(404);
  });

  test("a pod on no node is gone at once", async () => {
    await rest.post(pods, { metadata: { name: "pending" }, spec: { containers: [{ name: "c", image: "i" }] } });
    await rest.del(`${pods}/pending`);
    expect((await rest.get(`${pods}/pending`)).status).toBe(404);
  });

  test("deletecollection deletes what its selector says", async () => {
    for (const [id, app] of [
      ["c1", "x"],
      ["c2", "x"],
      ["c3", "y"],
    ])
      await rest.post(maps, { metadata: { name: id, labels: { app } } });
    const { status, body } = await rest.del(`${maps}?labelSelector=app%3Dx`);
    expect(status).toBe(200);
    expect(body.kind).toBe("ConfigMapList");
    expect(
      (await rest.get(`${maps}?labelSelector=app`)).body.items.map(
        (item: { metadata: { name: string } }) => item.metadata.name,
      ),
    ).toEqual(["c3"]);
  });

  test("a dry run deletes nothing", async () => {
    await rest.post(maps, { metadata: { name: "dry" } });
    expect((await rest.del(`${maps}/dry?dryRun=All`)).status).toBe(200);
    expect((await rest.get(`${maps}/dry`)).status).toBe(200);
  });

  test("a namespace terminates: nothing new in it, and it goes when it is finalized", async () => {
    await rest.post("/api/v1/namespaces", { metadata: { name: "leaving" } });
    const { body } = await rest.del("/api/v1/namespaces/leaving");
    expect(body).toMatchObject({
      kind: "Namespace",
      status: { phase: "Terminating" },
      spec: { finalizers: ["kubernetes"] },
    });
    const late = await rest.post("/api/v1/namespaces/leaving/configmaps", { metadata: { name: "late" } });
    expect(late.body).toMatchObject({ code: 403, reason: "Forbidden" });
    expect(late.body.message).toContain("because it is being terminated");
    expect(late.body.details.causes[0].reason).toBe("NamespaceTerminating");
    const { body: current } = await rest.get("/api/v1/namespaces/leaving");
    expect((await rest.put("/api/v1/namespaces/leaving/finalize", { ...current, spec: {} })).status).toBe(200);
    expect((await rest.get("/api/v1/namespaces/leaving")).status).toBe(404);
  });

  test("the namespace default stays", async () => {
    expect((await rest.del("/api/v1/namespaces/default")).body).toMatchObject({ code: 403, reason: "Forbidden" });
  });

  test("methods a path does not have are 405", async () => {
    expect((await rest.call("POST", "/api/v1/configmaps", { metadata: { name: "x" } })).status).toBe(405);
    expect((await rest.call("PUT", maps, { metadata: { name: "x" } })).status).toBe(405);
    expect((await rest.get("/apis/authentication.k8s.io/v1/tokenreviews")).status).toBe(405);
    expect((await rest.call("DELETE", `${pods}/x/status`)).status).toBe(405);
  });
});
