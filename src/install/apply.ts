import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";

/** What applying one object did to the cluster. */
export type Change = "created" | "changed" | "unchanged";

/** Owner of the fields that install sets, in the objects' managedFields. */
export const FIELD_MANAGER = "meshctl";

/**
 * Server-side apply of one object, and what it changed. Fields that the control plane sets at run time are taken over from the
 * live object, so that a second install finds nothing to do. `dryRun` lets the API server judge and changes nothing.
 */
export async function applyObject(cluster: Cluster, object: KubeObject, options: { dryRun: boolean }): Promise<Change> {
  const live = await cluster.get(targetOf(object));
  const wanted = live === undefined ? object : keepRunTimeFields(object, live);
  const applied = await cluster.apply(wanted, { fieldManager: FIELD_MANAGER, force: true, dryRun: options.dryRun });
  if (live === undefined) return "created";
  return isDeepStrictEqual(content(live), content(applied)) ? "unchanged" : "changed";
}

/** Requests at a time: enough to hide latency, few enough for the API server's fairness. */
const AT_ONCE = 8;

/** Does something with each object, kinds in the order given, objects of one kind beside each other. Results are in order. */
export async function kindByKind<R>(
  objects: readonly KubeObject[],
  work: (object: KubeObject) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  let at = 0;
  while (at < objects.length) {
    const ahead = objects.slice(at, at + AT_ONCE);
    const other = ahead.findIndex(({ kind }) => kind !== ahead[0]?.kind);
    const batch = other === -1 ? ahead : ahead.slice(0, other);
    results.push(...(await Promise.all(batch.map(work))));
    at += batch.length;
  }
  return results;
}

/** What the API server would make of an object: a dry run of applyObject. */
export async function tryObject(
  cluster: Cluster,
  object: KubeObject,
  live: KubeObject | undefined,
): Promise<KubeObject> {
  const wanted = live === undefined ? object : keepRunTimeFields(object, live);
  return cluster.apply(wanted, { fieldManager: FIELD_MANAGER, force: true, dryRun: true });
}

/** How the API server names an object. */
export function targetOf({ apiVersion, kind, metadata }: KubeObject): {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
} {
  const { name, namespace } = metadata;
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/**
 * The validation webhook starts with Ignore and is set to Fail by the control plane once it answers: an upgrade keeps that. CRDs are
 * everybody's: of one version they keep the name of the revision that brought them, else two revisions would change them in turn.
 */
function keepRunTimeFields(object: KubeObject, live: KubeObject): KubeObject {
  if (object.kind === "CustomResourceDefinition") return withRevisionOf(object, live);
  if (object.kind !== "ValidatingWebhookConfiguration") return object;
  const webhooks = (object["webhooks"] ?? []) as readonly Webhook[];
  const running = (live["webhooks"] ?? []) as readonly Webhook[];
  return {
    ...object,
    webhooks: webhooks.map((webhook) => {
      const policy = running.find(({ name }) => name === webhook.name)?.failurePolicy;
      return policy === undefined ? webhook : { ...webhook, failurePolicy: policy };
    }),
  };
}

function withRevisionOf(object: KubeObject, live: KubeObject): KubeObject {
  const [own, there] = [object.metadata.labels ?? {}, live.metadata.labels ?? {}];
  const revision = there["istio.io/rev"];
  if (revision === undefined || own["operator.istio.io/version"] !== there["operator.istio.io/version"]) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...own, "istio.io/rev": revision } } };
}

interface Webhook {
  readonly name: string;
  readonly failurePolicy?: string;
}

/** An object without what changes by itself. */
function content(object: KubeObject): unknown {
  const { managedFields: _, resourceVersion: __, generation: ___, ...metadata } = object.metadata;
  const { status: ____, ...rest } = object;
  return { ...rest, metadata };
}
