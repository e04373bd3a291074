import type { Cluster, ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { applyObject } from "./apply.ts";
import { readRecord } from "./record.ts";
import type { RenderedComponent } from "./render.ts";
import { TAG_LABEL } from "./revisions.ts";
import { REVISION_LABEL } from "../model/injection-webhooks.ts";

/** A selector that takes nothing, by the label that Istio uses for it. */
const NEVER = { matchLabels: { "istio.io/deactivated": "never-match" } };

/** Names of the default revision's webhooks that tag `default` takes over. */
const TAKEN_OVER = /sidecar-injector\.istio\.io$|^validation\.istio\.io$/;

/** The revision behind tag `default`; undefined when there is no such tag: then it is the default revision, where there is one. */
export async function defaultTagTarget(cluster: ClusterReader): Promise<string | undefined> {
  const kind = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };
  const [hook] = await cluster.list(kind, { labelSelector: `${TAG_LABEL}=default` });
  return hook === undefined ? undefined : (hook.metadata.labels?.[REVISION_LABEL] ?? "default");
}

/**
 * The components of the default revision while tag `default` names another one: the webhooks that the tag has taken over select
 * nothing, for two that select the same pod would inject it twice. Components of other revisions come out as they are.
 */
export async function besideDefaultTag(
  cluster: ClusterReader,
  revision: string,
  components: readonly RenderedComponent[],
): Promise<readonly RenderedComponent[]> {
  return revision === "default" ? besideTag(await defaultTagTarget(cluster), components) : components;
}

function besideTag(target: string | undefined, components: readonly RenderedComponent[]): readonly RenderedComponent[] {
  if (target === undefined || target === "default") return components;
  return components.map((part) => ({ ...part, objects: part.objects.map(withoutDefaultRole) }));
}

/** Webhook configurations of the default revision without what tag `default` does; other objects as they are. */
function withoutDefaultRole(object: KubeObject): KubeObject {
  if (!object.kind.endsWith("WebhookConfiguration")) return object;
  const webhooks = (object["webhooks"] ?? []) as readonly { readonly name: string }[];
  const quiet = webhooks.map((webhook) =>
    TAKEN_OVER.test(webhook.name) ? { ...webhook, namespaceSelector: NEVER, objectSelector: NEVER } : webhook,
  );
  return { ...object, webhooks: quiet };
}

/**
 * Brings the webhooks of the default revision to what tag `default` leaves them: call it when that tag was set or removed. They
 * are those of the installation's record; false when there is none to take them from. `target`: what the tag is about to name.
 */
export async function settleDefaultRevision(cluster: Cluster, namespace: string, target?: string): Promise<boolean> {
  const { current } = await readRecord(cluster, { namespace, revision: "default" });
  const components = besideTag(target ?? (await defaultTagTarget(cluster)), current?.components ?? []);
  const hooks = components.flatMap(({ objects }) =>
    objects.filter(({ kind }) => kind.endsWith("WebhookConfiguration")),
  );
  for (const hook of hooks) await applyObject(cluster, hook, { dryRun: false });
  return hooks.length > 0;
}
