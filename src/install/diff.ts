import { isDeepStrictEqual } from "node:util";
import { unifiedDiff } from "../base/line-diff.ts";
import type { Cluster } from "../resources/cluster.ts";
import { type KubeObject, refOf, refText } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { targetOf, tryObject } from "./apply.ts";
import { ownFields } from "./own-fields.ts";

/**
 * What applying the objects would change, as one text in the form of `diff -u`: the API server judges each as a dry run, and only
 * fields that install owns, or would own, are compared. `isUnjudged` objects cannot be tried yet (their namespace is missing).
 */
export async function diffObjects(
  cluster: Cluster,
  objects: readonly KubeObject[],
  isUnjudged: (object: KubeObject) => boolean,
): Promise<string> {
  const texts: string[] = [];
  for (const object of objects) {
    const live = await cluster.get(targetOf(object));
    const applied = isUnjudged(object) ? object : await tryObject(cluster, object, live);
    const before = live === undefined ? undefined : comparable(live);
    const after = comparable(applied);
    // CRDs are long texts, and rarely differ
    if (isDeepStrictEqual(before, after)) continue;
    const name = refText(refOf(object)).replaceAll(" ", "/");
    texts.push(unifiedDiff(name, textOf(before), textOf(after)));
  }
  return texts.join("");
}

/** What goes, as lines of the same form. */
export function removalDiff(objects: readonly KubeObject[]): string {
  return objects.map((object) => `--- a/${refText(refOf(object)).replaceAll(" ", "/")}\n+++ /dev/null\n`).join("");
}

/** What is ours of an object; the control plane sets the failure policy of its validation when it has proven itself. */
function comparable(object: KubeObject): unknown {
  const own = ownFields(object) as KubeObject | undefined;
  if (own === undefined || object.kind !== "ValidatingWebhookConfiguration") return own;
  const webhooks = (own["webhooks"] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return { ...own, webhooks: webhooks.map(withoutPolicy) };
}

function withoutPolicy(webhook: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(webhook).filter(([name]) => name !== "failurePolicy"));
}

function textOf(own: unknown): string {
  return own === undefined ? "" : toYaml(sorted(own));
}

/** Keys in one order: that of the server and that of the manifests differ. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
