import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Loose, RestClient, WatchStream } from "../../../support/kube/rest-client.ts";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, backendNames, startBackend, thingCrd } from "./backends.ts";

const maps = "/api/v1/namespaces/shop/configmaps";

/** Type and name of the next events, bookmarks left out. */
async function take(stream: WatchStream, count: number): Promise<string[]> {
  const out: string[] = [];
  while (out.length < count) {
    const event: Loose = await stream.next();
    if (event === undefined) break;
    if (event.type !== "BOOKMARK") out.push(`${event.type} ${event.object.metadata.name}`);
  }
  return out;
}

describe.each(backendNames)("list and watch on the %s API server", (name) => {
  let backend: Backend;
  let rest: RestClient;
  beforeAll(async () => {
    backend = await startBackend(name);
    rest = backend.rest;
    for (const [id, labels] of Object.entries({
      a: { app: "web", track: "stable" },
      b: { app: "web", track: "canary" },
      c: { app: "db" },
      d: {},
    })) {
      await rest.post(maps, { metadata: { name: id, labels }, data: { id } });
    }
  });
  afterAll(() => backend.stop());

  const names = (body: Loose): string[] => body.items.map((item: Loose) => item.metadata.name);

  test("a list has a resourceVersion, its kind, and items without theirs", async () => {
    const { body } = await rest.get(maps);
    expect(body).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1" });
    expect(body.metadata.resourceVersion).toMatch(/^\d+$/);
    expect(names(body)).toEqual(["a", "b", "c", "d"]);
  });

  test.each([
    ["labelSelector=app%3Dweb", ["a", "b"]],
    ["labelSelector=app%3Dweb,track%21%3Dstable", ["b"]],
    ["labelSelector=app+in+(web,db)", ["a", "b", "c"]],
    ["labelSelector=app+notin+(web)", ["c", "d"]],
    ["labelSelector=%21app", ["d"]],
    ["labelSelector=track", ["a", "b"]],
    ["fieldSelector=metadata.name%3Dc", ["c"]],
    ["fieldSelector=metadata.name%21%3Dc,metadata.namespace%3Dshop", ["a", "b", "d"]],
  ])("%s selects", async (query, expected) => {
    expect(names((await rest.get(`${maps}?${query}`)).body)).toEqual(expected);
  });

  test("selectors that cannot be read, and fields that cannot be selected by, are 400", async () => {
    expect((await rest.get(`${maps}?labelSelector=a%3D%3D%3Db`)).status).toBe(400);
    expect((await rest.get(`${maps}?fieldSelector=data.id%3Da`)).status).toBe(400);
  });

  test("pods can be selected by node and phase", async () => {
    const pods = "/api/v1/namespaces/shop/pods";
    const spec = { containers: [{ name: "c", image: "i" }] };
    await rest.post(pods, { metadata: { name: "here" }, spec: { ...spec, nodeName: "n1" } });
    await rest.post(pods, { metadata: { name: "there" }, spec });
    expect(names((await rest.get(`/api/v1/pods?fieldSelector=spec.nodeName%3Dn1`)).body)).toEqual(["here"]);
    expect(names((await rest.get(`${pods}?fieldSelector=status.phase%3DPending,spec.nodeName%3D`)).body)).toEqual([
      "there",
    ]);
  });

  test("pages continue where they ended and hold one resourceVersion, whatever happens meanwhile", async () => {
    const first = await rest.get(`${maps}?limit=2`);
    expect(names(first.body)).toEqual(["a", "b"]);
    expect(first.body.metadata.remainingItemCount).toBe(2);
    await rest.post(maps, { metadata: { name: "bb" } });
    const second = await rest.get(`${maps}?limit=2&continue=${encodeURIComponent(first.body.metadata.continue)}`);
    expect(names(second.body)).toEqual(["c", "d"]);
    expect(second.body.metadata.continue ?? "").toBe("");
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    await rest.del(`${maps}/bb`);
    expect((await rest.get(`${maps}?limit=2&continue=nonsense`)).status).toBe(400);
  });

  test("a watch from a list's resourceVersion tells what came after, in order", async () => {
    const { body: list } = await rest.get(maps);
    await rest.post(maps, { metadata: { name: "w1" } });
    const stream = await rest.watch(`${maps}?watch=true&resourceVersion=${list.metadata.resourceVersion}`);
    await rest.patch(`${maps}/w1`, "merge", { data: { x: "1" } });
    await rest.del(`${maps}/w1`);
    expect(await take(stream, 3)).toEqual(["ADDED w1", "MODIFIED w1", "DELETED w1"]);
    stream.stop();
  });

  test("a watch without resourceVersion starts with what is there", async () => {
    const stream = await rest.watch(`${maps}?watch=true`);
    expect((await take(stream, 4)).toSorted()).toEqual(["ADDED a", "ADDED b", "ADDED c", "ADDED d"]);
    stream.stop();
  });

  test("objects that enter and leave a selector are ADDED and DELETED", async () => {
    const { body: list } = await rest.get(maps);
    const query = `watch=true&labelSelector=app%3Dedge&resourceVersion=${list.metadata.resourceVersion}`;
    const stream = await rest.watch(`${maps}?${query}`);
    await rest.post(maps, { metadata: { name: "edge" } });
    await rest.patch(`${maps}/edge`, "merge", { metadata: { labels: { app: "edge" } } });
    await rest.patch(`${maps}/edge`, "merge", { metadata: { labels: { app: "off" } } });
    await rest.del(`${maps}/edge`);
    await rest.post(maps, { metadata: { name: "edge2", labels: { app: "edge" } } });
    expect(await take(stream, 3)).toEqual(["ADDED edge", "DELETED edge", "ADDED edge2"]);
    stream.stop();
    await rest.del(`${maps}/edge2`);
  });

  test("one object is watched by a field selector; its own path only reads it", async () => {
    const { body: list } = await rest.get(maps);
    const stream = await rest.watch(
      `${maps}?watch=true&fieldSelector=metadata.name%3Da&resourceVersion=${list.metadata.resourceVersion}`,
    );
    await rest.patch(`${maps}/b`, "merge", { data: { touched: name } });
    await rest.patch(`${maps}/a`, "merge", { data: { touched: name } });
    expect(await take(stream, 1)).toEqual(["MODIFIED a"]);
    stream.stop();
    expect((await rest.get(`${maps}/a?watch=true`)).body).toMatchObject({ kind: "ConfigMap", metadata: { name: "a" } });
  });

  test("a watch ends after timeoutSeconds", async () => {
    const { body: list } = await rest.get(maps);
    const stream = await rest.watch(
      `${maps}?watch=true&timeoutSeconds=1&resourceVersion=${list.metadata.resourceVersion}`,
    );
    expect(await stream.next()).toBeUndefined();
  });

  test("sendInitialEvents: the current objects, then a bookmark that says so", async () => {
    const query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const stream = await rest.watch(`${maps}?${query}`);
    const seen: string[] = [];
    for (let event: Loose = await stream.next(); event !== undefined; event = await stream.next()) {
      if (event.type === "BOOKMARK") {
        expect(event.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
        break;
      }
      seen.push(event.object.metadata.name);
    }
    expect(seen.toSorted()).toEqual(["a", "b", "c", "d"]);
    stream.stop();
    expect((await rest.get(`${maps}?watch=true&sendInitialEvents=true`)).status).toBe(422);
  });

  test("history that is gone is 410: an ERROR event in a watch, an answer for a page", async () => {
    const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const things = "/apis/example.test/v1/namespaces/shop/things";
    await rest.post(crds, thingCrd);
    await waitFor(async () => ((await rest.get(things)).status === 200 ? true : undefined), {
      timeoutMs: 20_000,
      what: "things are served",
    });
    for (const id of ["x", "y"]) {
      await rest.post(things, { apiVersion: "example.test/v1", kind: "Thing", metadata: { name: id } });
    }
    const { body: page } = await rest.get(`${things}?limit=1`);
    const { body: early } = await rest.get(things);
    await rest.del(`${things}/x`);
    await backend.compact();
    const stream = await rest.watch(`${things}?watch=true&resourceVersion=${early.metadata.resourceVersion}`);
    expect(await stream.next()).toMatchObject({
      type: "ERROR",
      object: { kind: "Status", code: 410, reason: "Expired" },
    });
    expect(await stream.next()).toBeUndefined();
    const next = await rest.get(`${things}?limit=1&continue=${encodeURIComponent(page.metadata.continue)}`);
    expect(next.body).toMatchObject({ code: 410, reason: "Expired" });
    const { body: late } = await rest.get(things);
    const current = await rest.watch(`${things}?watch=true&resourceVersion=${late.metadata.resourceVersion}`);
    await rest.del(`${things}/y`);
    expect(await take(current, 1)).toEqual(["DELETED y"]);
    current.stop();
  });

  test("a list of a version that is yet to come is refused", async () => {
    const { body: list } = await rest.get(maps);
    const future = Number(list.metadata.resourceVersion) + 1_000_000;
    const answer = await rest.get(`${maps}?resourceVersion=${future}`);
    expect(answer.body).toMatchObject({ code: 504, reason: "Timeout" });
    expect(answer.body.details.causes[0].reason).toBe("ResourceVersionTooLarge");
  });

  test("tables for kubectl get, and metadata alone", async () => {
    const table = await rest.get(maps, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } });
    expect(table.body).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1" });
    expect(table.body.columnDefinitions.map((column: Loose) => column.name)).toEqual(["Name", "Data", "Age"]);
    expect(table.body.rows[0].cells.slice(0, 2)).toEqual(["a", 2]);
    expect(table.body.rows[0].object).toMatchObject({ kind: "PartialObjectMetadata", metadata: { name: "a" } });
    const partial = await rest.get(maps, {
      headers: { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" },
    });
    expect(partial.body.kind).toBe("PartialObjectMetadataList");
    expect(partial.body.items[0].data).toBeUndefined();
  });

  test("an answer in a form that is not there is 406", async () => {
    expect((await rest.get(maps, { headers: { accept: "text/csv" } })).status).toBe(406);
  });

  test("events have one store and two faces", async () => {
    const event = {
      metadata: { name: "e1" },
      involvedObject: { kind: "Pod", namespace: "shop", name: "here" },
      reason: "Tested",
      message: "words",
      type: "Normal",
    };
    expect((await rest.post("/api/v1/namespaces/shop/events", event)).status).toBe(201);
    const other = await rest.get("/apis/events.k8s.io/v1/namespaces/shop/events/e1");
    expect(other.body).toMatchObject({
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      regarding: { name: "here" },
      note: "words",
      reason: "Tested",
    });
    const selected = await rest.get(
      "/api/v1/namespaces/shop/events?fieldSelector=involvedObject.name%3Dhere,reason%3DTested",
    );
    expect(names(selected.body)).toEqual(["e1"]);
  });
});
