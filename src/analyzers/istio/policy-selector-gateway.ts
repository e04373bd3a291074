import { namedSelector, selects } from "../../model/selectors.ts";
import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** Label of the pods that a control plane makes for a Gateway of Gateway API. */
const GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name";

const POLICIES = ["AuthorizationPolicy", "RequestAuthentication", "Telemetry", "WasmPlugin"] as const;

type Labels = Readonly<Record<string, string>>;

/**
 * Pods of a Gateway of Gateway API follow policies that name the Gateway (targetRefs); those that select the pods' labels they
 * pass over. The pods are known from the cluster, or from the Gateway, which says their labels. A policy without selector is
 * for the namespace, and meant so.
 */
export const policySelectorGateway = defineAnalyzer({
  name: "policy-selector-gateway",
  summary: "Finds policies that select pods of a Gateway API gateway by labels, where they have no effect.",
  reads: [...POLICIES, "Pod", "KubernetesGateway"],
  codes: ["IST0166"],
  analyze: (input) => {
    const pods = gatewayPods(input);
    if (pods.size === 0) return;
    for (const kind of POLICIES)
      for (const object of input.world.list(kind)) {
        const labels = selectorOf((object.spec ?? {}) as Reach);
        if (labels === undefined) continue;
        const hit = (pods.get(object.metadata.namespace ?? "") ?? []).find((pod) => selects(labels, pod));
        const gateway = hit?.[GATEWAY_NAME];
        if (gateway !== undefined) input.report(object, ["spec", "selector"], "IST0166", { gateway, kind });
      }
  },
});

type Input = AnalyzerInput<(typeof POLICIES)[number] | "Pod" | "KubernetesGateway", "IST0166">;

interface Reach {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly targetRef?: unknown;
  readonly targetRefs?: readonly unknown[];
}

/** The labels by which a policy selects; undefined where it names what it is for, or is for its namespace. */
function selectorOf({ selector, targetRef, targetRefs = [] }: Reach): Labels | undefined {
  return targetRef !== undefined || targetRefs.length > 0 ? undefined : namedSelector(selector?.matchLabels);
}

/** Labels of gateways' pods by namespace. */
function gatewayPods({ world }: Input): ReadonlyMap<string, readonly Labels[]> {
  const pods = new Map<string, Labels[]>();
  const add = ({ metadata }: KubeObject, labels: Labels): void => {
    const namespace = metadata.namespace ?? "";
    pods.set(namespace, [...(pods.get(namespace) ?? []), labels]);
  };
  for (const gateway of world.list("KubernetesGateway")) add(gateway, impliedLabels(gateway));
  for (const pod of world.list("Pod")) {
    const labels = pod.metadata.labels ?? {};
    if (labels[GATEWAY_NAME] !== undefined) add(pod, labels);
  }
  return pods;
}

/** Labels that the pods of a Gateway get. */
function impliedLabels({ metadata, spec }: KubeObject): Labels {
  const { infrastructure } = (spec ?? {}) as { readonly infrastructure?: { readonly labels?: Labels } };
  return { ...metadata.labels, ...infrastructure?.labels, [GATEWAY_NAME]: metadata.name };
}
