import { ClusterError, UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { injectionWebhooks, webhooksCalled, webhooksOf } from "../model/injection-webhooks.ts";
import type { ClusterReader } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { readRevisions, type Revisions, type Tag, TAG_LABEL } from "./revisions.ts";
import { injectorOf, tagObjects, type TagRequest } from "./tag.ts";

/** What setting a tag comes to, once nothing speaks against it. */
export interface TagPlan {
  readonly request: TagRequest;
  readonly objects: readonly KubeObject[];
  /** As it is now; undefined when it is new. */
  readonly before: Tag | undefined;
  /** Who is there now. */
  readonly state: Revisions;
  /** Webhooks of others, as `configuration/webhook`, that would inject the same pods a second time. */
  readonly conflicts: readonly string[];
}

/** What checkTag is to pass over. */
export interface TagRules {
  /** The tag may be there already and name another revision. */
  readonly overwrite: boolean;
}

/**
 * What setting a tag would write. Throws UsageError for a name that cannot be one, ClusterError `not-found` for a revision that is
 * not there, `not-ready` for one whose webhooks cannot answer yet, `tag-is-revision` and `tag-exists` for names that are taken.
 */
export async function planTag(cluster: ClusterReader, request: TagRequest, rules: TagRules): Promise<TagPlan> {
  const { tag, revision, namespace } = request;
  checkName(tag);
  const state = await readRevisions(cluster, namespace);
  const injector = await injectorOf(cluster, revision);
  if (injector === undefined) throw noRevision(revision, state);
  if (tag !== "default" && (await injectorOf(cluster, tag)) !== undefined)
    throw new ClusterError("tag-is-revision", `"${tag}" is the name of a revision`, {
      hint: "Choose another name: two injectors under one name would inject pods twice.",
    });
  const before = state.tags.find((each) => each.tag === tag);
  if (before !== undefined && before.revision !== revision && !rules.overwrite)
    throw new ClusterError("tag-exists", `tag ${tag} names revision ${before.revision}`, {
      hint: `Pass --overwrite to move it, and with it ${words(before.namespaces.length, "namespace")}.`,
    });
  if (webhooksOf(injector).some(({ clientConfig = {} }) => !hasAuthority(clientConfig)))
    throw new ClusterError("not-ready", `the control plane of revision ${revision} does not answer yet`, {
      hint: "Pods of the tag's namespaces could not be created. Wait until meshctl check passes.",
    });
  const objects = tagObjects(request, injector);
  return { request, objects, before, state, conflicts: await conflictsOf(cluster, request) };
}

/** `1 namespace`, `2 namespaces`. */
export function words(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function hasAuthority({ caBundle = "" }: { readonly caBundle?: string }): boolean {
  return caBundle !== "";
}

function checkName(tag: string): void {
  if (/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/.test(tag)) return;
  throw new UsageError(
    `tag "${tag}" cannot be part of a name`,
    "Use at most 40 lower-case letters, digits and dashes, e.g. prod-stable.",
  );
}

function noRevision(revision: string, { revisions, tags }: Revisions): ClusterError {
  const names = revisions.map((each) => each.revision);
  const close = nearest(revision, names);
  const isTag = tags.find(({ tag }) => tag === revision);
  const known = names.length === 0 ? "Install one with meshctl install." : `There are: ${names.join(", ")}.`;
  const hint =
    isTag === undefined
      ? close === undefined
        ? known
        : `Did you mean ${close}? ${known}`
      : `It is a tag of revision ${isTag.revision}: name that one.`;
  return new ClusterError("not-found", `there is no revision ${revision} in the cluster`, { hint });
}

/** Webhooks that take what the tag takes; those of the tag itself, and those that make way for tag `default`, are none. */
async function conflictsOf(cluster: ClusterReader, { tag, webhookName }: TagRequest): Promise<readonly string[]> {
  const kind = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };
  const others = (await cluster.list(kind)).filter(({ metadata }) => {
    if (metadata.name === webhookName || metadata.labels?.[TAG_LABEL] === tag) return false;
    return tag !== "default" || metadata.labels?.["istio.io/rev"] !== "default";
  });
  const asking = [{ "istio.io/rev": tag }, ...(tag === "default" ? [{ "istio-injection": "enabled" }] : [])];
  const called = asking.flatMap((labels) => webhooksCalled(injectionWebhooks(others), { name: "", labels }, {}));
  return [...new Set(called.map(({ object, webhook }) => `${object.metadata.name}/${webhook.name ?? ""}`))].sort();
}
