import { isAmbientPod } from "../../model/ambient.ts";
import { wishedInjection } from "../../model/injection-wish.ts";
import { PROXY_CONTAINER } from "../../model/pods.ts";
import { proxyImage } from "../../model/injector-values.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import type { Namespace, Pod } from "../../resources/core.ts";
import { isImplied, listText } from "./shared-names.ts";

/**
 * Sidecars are added when a pod is created: one that is older than its namespace's label has none, and one that is older than
 * an upgrade has an old one. Only pods that run are judged; what files describe will be created.
 */
export const podProxy = defineAnalyzer({
  name: "pod-proxy",
  summary: "Checks that running pods have the sidecar that they would get now.",
  reads: ["Pod", "Namespace", "ConfigMap"],
  codes: ["IST0103", "IST0158"],
  analyze: (input) => {
    for (const namespace of input.world.list("Namespace")) {
      const running = input.world.list("Pod", namespace.metadata.name).filter(isRunning);
      if (running.length === 0) continue;
      for (const pod of running) checkMissing(input, pod, namespace);
      checkImages(input, running, namespace);
    }
  },
});

type Input = AnalyzerInput<"Pod" | "Namespace" | "ConfigMap", "IST0103" | "IST0158">;

const ENDED: readonly (string | undefined)[] = [undefined, "Succeeded", "Failed"];

function isRunning(pod: Pod): boolean {
  return !isImplied(pod) && !ENDED.includes(pod.status?.phase) && pod.metadata.deletionTimestamp === undefined;
}

function checkMissing({ report }: Input, pod: Pod, namespace: Namespace): void {
  if (proxyOf(pod) !== undefined || isAmbientPod(pod, namespace)) return;
  if (!wishedInjection(pod, namespace).inject) return;
  report(pod, ["metadata", "name"], "IST0103", { pod: pod.metadata.name });
}

function proxyOf({ spec }: Pod): string | undefined {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const proxy = all.find(({ name }) => name === PROXY_CONTAINER);
  return proxy === undefined ? undefined : (proxy.image ?? "");
}

function checkImages({ model, report }: Input, pods: readonly Pod[], namespace: Namespace): void {
  const labels = namespace.metadata.labels ?? {};
  const revision = labels["istio.io/rev"] ?? (labels["istio-injection"] === "enabled" ? "default" : undefined);
  const image = revision === undefined ? undefined : proxyImage(model.world, model.rootNamespace, revision);
  if (image === undefined) return;
  const others = pods.filter((pod) => isOther(pod, image)).map(({ metadata }) => metadata.name);
  if (others.length === 0) return;
  report(namespace, ["metadata", "name"], "IST0158", { pods: listText(others.toSorted()), image });
}

/** Whether a pod's proxy is another than the injector's; a variant of the tag (`-distroless`), and images that the pod chose, are not. */
function isOther(pod: Pod, image: string): boolean {
  const own = proxyOf(pod);
  const { annotations = {} } = pod.metadata;
  if (own === undefined || annotations["sidecar.istio.io/proxyImage"] !== undefined) return false;
  // gateways and hand-written proxies are not the injector's
  if (annotations["sidecar.istio.io/status"] === undefined) return false;
  return own !== image && !own.startsWith(`${image}-`) && !own.startsWith(`${image}@`);
}
