import { readFile } from "node:fs/promises";
import { CoreV1Api, KubeConfig, KubernetesObjectApi, makeInformer, type V1ConfigMap } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { waitFor } from "../../../support/wait.ts";
import { type Backend, backendNames, startBackend } from "./backends.ts";

describe.each(backendNames)("client-node on the %s API server", (name) => {
  let backend: Backend;
  let config: KubeConfig;
  let core: CoreV1Api;
  beforeAll(async () => {
    backend = await startBackend(name);
    config = new KubeConfig();
    config.loadFromString(await readFile(backend.kubeconfig, "utf8"));
    core = config.makeApiClient(CoreV1Api);
  });
  afterAll(() => backend.stop());

  test("an informer lists, follows and knows what is gone", async () => {
    await core.createNamespacedConfigMap({ namespace: "shop", body: { metadata: { name: "before" } } });
    const seen: string[] = [];
    const list = (): ReturnType<CoreV1Api["listNamespacedConfigMap"]> =>
      core.listNamespacedConfigMap({ namespace: "shop" });
    const informer = makeInformer<V1ConfigMap>(config, "/api/v1/namespaces/shop/configmaps", list);
    informer.on("add", (object) => seen.push(`add ${object.metadata?.name}`));
    informer.on("update", (object) => seen.push(`update ${object.metadata?.name}`));
    informer.on("delete", (object) => seen.push(`delete ${object.metadata?.name}`));
    await informer.start();
    try {
      await waitFor(() => seen.includes("add before"), { what: "the first list" });
      await core.createNamespacedConfigMap({ namespace: "shop", body: { metadata: { name: "after" } } });
      await core.replaceNamespacedConfigMap({
        namespace: "shop",
        name: "after",
        body: { metadata: { name: "after" }, data: { a: "1" } },
      });
      await core.deleteNamespacedConfigMap({ namespace: "shop", name: "after" });
      await waitFor(() => seen.includes("delete after"), { what: "the deletion" });
      expect(seen).toEqual(["add before", "add after", "update after", "delete after"]);
      expect(informer.list("shop").map((object) => object.metadata?.name)).toEqual(["before"]);
    } finally {
      await informer.stop();
    }
  });

  test("objects of any kind are created, read, patched and deleted", async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "any", namespace: "shop" }, data: { a: "1" } };
    await objects.create(map);
    const patched = await objects.patch({ ...map, data: { a: "2" } });
    expect(patched).toMatchObject({ data: { a: "2" } });
    expect(await objects.read(map)).toMatchObject({ metadata: { name: "any" } });
    await objects.delete(map);
    await expect(objects.read(map)).rejects.toMatchObject({ code: 404 });
  });
});
