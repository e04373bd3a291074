import { nearest } from "../../base/nearest.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { selects } from "../../model/selectors.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/**
 * A VirtualService that names a Gateway which is not there, or which serves none of its hosts, gets no traffic from outside
 * (404). A Gateway whose selector matches no pod opens no port. See https://istio.io/latest/docs/reference/config/analysis/.
 */
export const gatewayReference = defineAnalyzer({
  name: "gateway-reference",
  summary: "Checks that Gateways that VirtualServices name exist and serve their hosts, and that Gateways select pods.",
  reads: ["VirtualService", "Gateway", "KubernetesGateway", "Pod", "ConfigMap"],
  codes: ["IST0101", "IST0132"],
  analyze: (input) => {
    for (const object of input.world.list("VirtualService")) checkGateways(input, object);
    for (const object of input.world.list("Gateway")) checkSelector(input, object);
  },
});

type Input = AnalyzerInput<
  "VirtualService" | "Gateway" | "KubernetesGateway" | "Pod" | "ConfigMap",
  "IST0101" | "IST0132"
>;

function checkGateways(input: Input, object: KindTypes["VirtualService"]): void {
  const own = object.metadata.namespace ?? "";
  for (const [index, reference] of (object.spec?.gateways ?? []).entries()) {
    if (reference === "mesh") continue;
    const slash = reference.indexOf("/");
    const namespace = slash < 0 ? own : reference.slice(0, slash);
    const name = reference.slice(slash + 1);
    const gateway = input.world.get("Gateway", namespace, name);
    if (gateway !== undefined) checkHosts(input, object, gateway, reference);
    else if (input.world.get("KubernetesGateway", namespace, name) === undefined)
      missingGateway(input, object, index, { reference, namespace, name });
  }
}

function missingGateway(
  input: Input,
  object: KindTypes["VirtualService"],
  index: number,
  gateway: { readonly reference: string; readonly namespace: string; readonly name: string },
): void {
  const { reference, namespace, name } = gateway;
  const others = input.world.list("Gateway", namespace).map(({ metadata }) => metadata.name);
  const elsewhere = namespace !== object.metadata.namespace && others.length === 0;
  if (!input.complete && elsewhere)
    return input.unknown(`gateway ${reference}: no Gateway of its namespace is in the files`);
  const close = nearest(name, others);
  input.report(object, ["spec", "gateways", index], "IST0101", {
    what: "gateway",
    name: reference,
    where: close === undefined ? `Create Gateway ${namespace}/${name}, or correct the name.` : `Did you mean ${close}?`,
  });
}

function checkHosts(
  input: Input,
  object: KindTypes["VirtualService"],
  gateway: KindTypes["Gateway"],
  reference: string,
): void {
  const { namespace = "", name } = gateway.metadata;
  const servers = (gateway.spec?.servers ?? []).flatMap(({ hosts }) => hosts);
  const bound = input.model.virtualServices.ofGatewayServer({ namespace, name }, servers);
  const served = bound.some(
    ({ object: other }) =>
      other.metadata.name === object.metadata.name && other.metadata.namespace === object.metadata.namespace,
  );
  if (!served)
    input.report(object, ["spec", "hosts"], "IST0132", {
      host: `[${(object.spec?.hosts ?? []).join(" ")}]`,
      gateway: reference,
    });
}

function checkSelector(input: Input, object: KindTypes["Gateway"]): void {
  const selector = object.spec?.selector ?? {};
  const labels = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  if (labels.length === 0) return;
  const pods = input.world.list("Pod");
  if (pods.some(({ metadata }) => selects(selector, metadata.labels ?? {}))) return;
  const text = labels.join(",");
  if (!input.complete && !pods.some(isGatewayPod))
    return input.unknown(`selector ${text}: no gateway workload is in the files`);
  input.report(object, ["spec", "selector"], "IST0101", {
    what: "selector",
    name: text,
    where: "Give the labels of the gateway's pods; `kubectl get pods -A --show-labels` lists them.",
  });
}

/** Whether a pod is injected as a gateway: files that hold one are meant to hold all of them. */
function isGatewayPod({ metadata }: KindTypes["Pod"]): boolean {
  return (metadata.annotations?.["inject.istio.io/templates"] ?? "").split(",").includes("gateway");
}
