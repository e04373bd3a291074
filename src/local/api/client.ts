import type { KubeObject } from "../../resources/object.ts";
import type { Core, User, WriteRequest } from "./core.ts";
import { patchTypes } from "./patch.ts";
import { getObject, listObjects, watchObjects } from "./read.ts";
import type { ResourceInfo } from "./registry.ts";
import { removeObject } from "./remove.ts";
import { noSuchPath, StatusError } from "./status.ts";
import type { LocalClient, ResourceId } from "./types.ts";
import { createObject, patchObject, replaceObject } from "./write.ts";

const user: User = { username: "system:meshctl-local", groups: ["system:masters", "system:authenticated"] };

function requestOf(core: Core, subresource?: string): WriteRequest {
  return {
    user,
    dryRun: false,
    manager: "meshctl-local",
    fieldValidation: "Strict",
    subresource,
    warn: core.log,
  };
}

/** The endpoint's own client: the same operations as over HTTP, without the wire. */
export function createLocalClient(core: Core): LocalClient {
  const infoOf = (id: ResourceId): ResourceInfo => {
    const info = core.registry.find(id.group, id.version, id.resource);
    if (info === undefined) throw noSuchPath();
    return info;
  };
  const placed = (info: ResourceInfo, namespace: string | undefined): string | undefined =>
    info.namespaced ? namespace : undefined;

  return {
    async get(id, namespace, name) {
      const info = infoOf(id);
      try {
        return await Promise.resolve(getObject(core, { info, namespace: placed(info, namespace), name }));
      } catch (error) {
        if (error instanceof StatusError && error.code === 404) return undefined;
        throw error;
      }
    },
    async list(id, options = {}) {
      const info = infoOf(id);
      const { items, resourceVersion } = listObjects(core, info, { ...options, namespace: options.namespace });
      return Promise.resolve({ items, resourceVersion });
    },
    async create(id, object) {
      const info = infoOf(id);
      return createObject(core, { info, namespace: placed(info, object.metadata.namespace) }, object, requestOf(core));
    },
    async update(id, object, subresource) {
      const info = infoOf(id);
      const target = { info, namespace: placed(info, object.metadata.namespace), name: object.metadata.name };
      return replaceObject(core, target, object, requestOf(core, subresource));
    },
    async mergePatch(...[id, namespace, name, patch, subresource]): Promise<KubeObject> {
      const info = infoOf(id);
      const target = { info, namespace: placed(info, namespace), name };
      const body = { body: patch, type: patchTypes.merge, force: false };
      return patchObject(core, target, body, requestOf(core, subresource));
    },
    async delete(id, namespace, name, options = {}) {
      const info = infoOf(id);
      await removeObject(core, { info, namespace: placed(info, namespace), name }, options, requestOf(core));
    },
    watch(id, options, onEvent, signal) {
      if (signal.aborted) return;
      const stop = watchObjects(core, infoOf(id), { namespace: options.namespace }, (event) => {
        if (!signal.aborted) onEvent(event);
      });
      signal.addEventListener("abort", stop, { once: true });
    },
  };
}
