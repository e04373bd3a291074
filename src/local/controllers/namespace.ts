import type { KubeObject } from "../../resources/object.ts";
import { ids } from "../ids.ts";
import { allCollections } from "./collections.ts";
import { type ControllerContext, defineController } from "./controller.ts";
import { type Again, statusCode } from "./queue.ts";

const RECHECK_MS = 100;

/** Gives each namespace what every pod in it expects, and empties one that is being deleted. */
export const namespaceController = defineController({
  name: "namespace",
  summary: "Creates the default ServiceAccount and kube-root-ca.crt, and deletes the content of a namespace that goes",
  watches: [
    { id: ids.namespaces },
    { id: ids.serviceAccounts, keys: (object) => (object.metadata.name === "default" ? namespaceKey(object) : []) },
    { id: ids.configMaps, keys: (object) => (object.metadata.name === ROOT_CA ? namespaceKey(object) : []) },
  ],
  async reconcile({ name }, context) {
    const namespace = context.cache.get<Namespace>(ids.namespaces, undefined, name);
    if (namespace === undefined) return undefined;
    if (namespace.metadata.deletionTimestamp !== undefined) return empty(namespace, context);
    await ensureDefaults(name, context);
    return undefined;
  },
});

const ROOT_CA = "kube-root-ca.crt";

type Namespace = KubeObject<{ readonly finalizers?: readonly string[] }>;

function namespaceKey(object: KubeObject): readonly string[] {
  return [`/${object.metadata.namespace ?? ""}`];
}

async function ensureDefaults(namespace: string, { client, cache, cluster }: ControllerContext): Promise<void> {
  if (cache.get(ids.serviceAccounts, namespace, "default") === undefined) {
    const metadata = { name: "default", namespace };
    await unlessExists(client.create(ids.serviceAccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata }));
  }
  const found = cache.get<KubeObject & { data?: Record<string, string> }>(ids.configMaps, namespace, ROOT_CA);
  if (found === undefined) {
    await unlessExists(
      client.create(ids.configMaps, {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: ROOT_CA, namespace },
        data: { "ca.crt": cluster.caPem },
      }),
    );
  } else if (found.data?.["ca.crt"] !== cluster.caPem) {
    await client.mergePatch(ids.configMaps, namespace, ROOT_CA, { data: { "ca.crt": cluster.caPem } });
  }
}

async function unlessExists(created: Promise<unknown>): Promise<void> {
  try {
    await created;
  } catch (error) {
    if (statusCode(error) !== 409) throw error;
  }
}

/** Deletes everything in it; when nothing is left, takes the finalizer away, and with it the namespace. */
async function empty(namespace: Namespace, { client, cache }: ControllerContext): Promise<Again | undefined> {
  const { name } = namespace.metadata;
  let left = 0;
  for (const id of allCollections(cache)) {
    if (!id.namespaced) continue;
    const { items } = await client.list(id, { namespace: name }).catch(() => ({ items: [] })); // a CRD that has just gone
    for (const object of items) {
      if (id.resource !== "events") left++;
      if (object.metadata.deletionTimestamp === undefined) {
        await client.delete(id, name, object.metadata.name, { propagationPolicy: "Background" }).catch(ignoreGone);
      }
    }
  }
  if (left > 0) return { afterMs: RECHECK_MS };
  if ((namespace.spec?.finalizers ?? []).length > 0) {
    await client
      .mergePatch(ids.namespaces, undefined, name, { spec: { finalizers: [] } }, "finalize")
      .catch(ignoreGone);
  }
  return undefined;
}

function ignoreGone(error: unknown): void {
  if (statusCode(error) !== 404) throw error;
}
