import type { Pod } from "../resources/core.ts";
import { callingWebhook, injectionWish, neverInjected } from "./injection.ts";

/**
 * Whether a pod in a namespace with these labels would be injected by the control plane that it asks for, were it created now.
 * Whether there is a control plane of that revision is another question.
 */
export function asksForInjection(
  pod: Pick<Pod, "metadata" | "spec">,
  namespace: Readonly<Record<string, string>>,
): boolean {
  const { metadata, spec } = pod;
  if (neverInjected(spec ?? {}, metadata.namespace ?? "") !== undefined) return false;
  if (injectionWish(metadata).asked === "false") return false;
  const labels = metadata.labels ?? {};
  const revision = namespace["istio.io/rev"] ?? labels["istio.io/rev"];
  return [revision ?? "default", "default"].some((each) => callingWebhook(namespace, labels, each).inject);
}
