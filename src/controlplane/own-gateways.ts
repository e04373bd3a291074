import { revisionSuffix } from "../base/revision.ts";
import type { ApiGateway } from "../model/gateway-api-types.ts";
import type { World } from "../resources/world.ts";

const REVISION = "istio.io/rev";
const TAG = "istio.io/tag";

/**
 * Whether a Gateway's pods are for the control plane of `revision` to make: of several exactly one does. Its own label counts before
 * its namespace's; either names a revision or a tag; without any it is the default's. Source: Istio's TagWatcher.IsMine.
 */
export function isOwnGateway(world: World, revision: string, { metadata }: ApiGateway): boolean {
  const namespace = world.get("Namespace", "", metadata.namespace ?? "");
  const asked = metadata.labels?.[REVISION] ?? namespace?.metadata.labels?.[REVISION] ?? "";
  const wanted = asked === "" ? "default" : asked;
  const tagged = world
    .list("MutatingWebhookConfiguration")
    .map(({ metadata: { labels = {} } }) => labels)
    .find((labels) => labels[TAG] === wanted);
  return revisionSuffix(tagged?.[REVISION] ?? wanted) === revisionSuffix(revision);
}
