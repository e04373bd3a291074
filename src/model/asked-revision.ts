import type { KubeObject } from "../resources/object.ts";
import { IGNORED_NAMESPACES, INJECT_LABEL, NAMESPACE_LABEL } from "./injection-rules.ts";
import { REVISION_LABEL } from "./injection-webhooks.ts";

type Labels = Readonly<Record<string, string>>;

/** The revision, or tag, whose injector a namespace asks for; undefined when it asks for none. */
export function askedRevision({ metadata: { name, labels = {} } }: KubeObject): string | undefined {
  if (IGNORED_NAMESPACES.includes(name)) return undefined;
  const simple = labels[NAMESPACE_LABEL];
  if (simple !== undefined) return simple === "enabled" ? "default" : undefined;
  return labels[REVISION_LABEL];
}

/** The same for a pod: where its namespace says nothing its own labels count. `namespace` undefined: it is not known. */
export function askedRevisionOfPod(pod: Labels, namespace: KubeObject | undefined): string | undefined {
  const labels = namespace?.metadata.labels ?? {};
  if (pod[INJECT_LABEL] === "false") return undefined;
  if (namespace !== undefined && (labels[NAMESPACE_LABEL] !== undefined || labels[REVISION_LABEL] !== undefined))
    return askedRevision(namespace);
  return pod[REVISION_LABEL] ?? (pod[INJECT_LABEL] === "true" ? "default" : undefined);
}
