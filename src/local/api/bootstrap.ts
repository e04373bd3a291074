import type { Core, WriteRequest } from "./core.ts";
import { crdCollection, crdFinalizer, isEstablished, resourcesOfCrd } from "./crd.ts";
import type { Obj } from "./json.ts";
import { clone, equal } from "./json.ts";
import { bootstrapRoles } from "./rbac.ts";
import { splitApiVersion } from "./registry.ts";
import { removeMany } from "./remove.ts";
import { createObject } from "./write.ts";

const request: WriteRequest = {
  user: { username: "system:apiserver", groups: ["system:masters"] },
  dryRun: false,
  manager: "meshctl-local",
  fieldValidation: "Strict",
  subresource: undefined,
  warn: () => {},
};

/** Namespaces and roles that are there from the start. The Service `kubernetes` is kept by a controller. */
export async function bootstrap(core: Core): Promise<void> {
  const namespaces = ["default", "kube-system", "kube-public", "kube-node-lease"].map(
    (name): Obj => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
  );
  for (const object of [...namespaces, ...bootstrapRoles()]) {
    const { group, version } = splitApiVersion(object.apiVersion);
    const info = core.registry.findKind(group, version, object.kind);
    if (info === undefined) throw new Error(`no built-in kind ${object.kind}`);
    await createObject(core, { info, namespace: undefined }, object, request);
  }
}

/**
 * Keeps what is served in step with the CRDs in the store, and lets a deleted CRD go when its objects are gone.
 * Returns a function that ends it.
 */
export function followCrds(core: Core): () => void {
  const waiting = new Map<string, () => void>();

  function release(crd: Obj): void {
    const current = core.store.get(crdCollection, undefined, crd.metadata.name);
    if (current === undefined || current.metadata.uid !== crd.metadata.uid) return;
    const next = clone(current);
    next.metadata.finalizers = (next.metadata.finalizers ?? []).filter((name) => name !== crdFinalizer);
    if (next.metadata.finalizers.length === 0) core.store.remove(crdCollection, next);
    else core.store.put(crdCollection, next);
  }

  async function clear(crd: Obj): Promise<void> {
    const info = resourcesOfCrd(crd)[0];
    if (info === undefined || waiting.has(crd.metadata.name)) return;
    const check = (): void => {
      if (core.store.list(info.collection).length > 0) return;
      waiting.get(crd.metadata.name)?.();
      waiting.delete(crd.metadata.name);
      release(crd);
    };
    waiting.set(
      crd.metadata.name,
      core.store.listen(info.collection, () => queueMicrotask(check)),
    );
    await removeMany(core, info, core.store.list(info.collection), { options: {}, request });
    check();
  }

  return core.store.listen(crdCollection, ({ type, object, previous }) => {
    const { name, deletionTimestamp, finalizers } = object.metadata;
    if (type === "DELETED") {
      core.registry.removeCrd(name);
      return;
    }
    const changed =
      previous === undefined || !equal(previous.spec, object.spec) || isEstablished(previous) !== isEstablished(object);
    if (changed && isEstablished(object)) core.registry.setCrd(name, resourcesOfCrd(object));
    if (deletionTimestamp !== undefined && finalizers?.includes(crdFinalizer) === true) {
      clear(object).catch((error: unknown) => core.log(`clearing ${name} failed: ${String(error)}`));
    }
  });
}
