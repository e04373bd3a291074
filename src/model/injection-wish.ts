import type { Pod } from "../resources/core.ts";
import type { KubeObject } from "../resources/object.ts";
import { decideInjection, type JudgedInjection } from "./injection.ts";

/**
 * What would happen to a pod in a namespace, were it created now and were the control plane there that it asks for; injectors are
 * taken to be set as at install. `namespace` is undefined when it is not known.
 */
export function wishedInjection(
  { metadata, spec }: Pick<Pod, "metadata" | "spec">,
  namespace: Pick<KubeObject, "metadata"> | undefined,
): JudgedInjection {
  const labels = namespace === undefined ? undefined : (namespace.metadata.labels ?? {});
  return decideInjection({
    pod: { metadata, spec },
    namespace: { name: metadata.namespace ?? "", labels },
    calls: "assumed",
  });
}
