import { wishedInjection } from "../../model/injection-wish.ts";
import type { Service, ServicePortSpec, Workload } from "../../resources/core.ts";
import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { listText } from "./shared-names.ts";
import { impliedPod } from "../../resources/files-world.ts";

/**
 * A sidecar has one listener for a port of its workload. Services that disagree about the port cannot both be right: the same
 * number as TCP and as UDP, or one port of the pod under several numbers.
 */
export const workloadServices = defineAnalyzer({
  name: "workload-services",
  summary: "Checks that Services in front of one Deployment agree about its ports.",
  reads: ["Deployment", "Service", "Namespace"],
  codes: ["IST0116", "IST0137"],
  analyze: (input) => {
    for (const object of input.world.list("Deployment")) {
      const { namespace = "", labels } = object.metadata;
      const podLabels = object.spec?.template?.metadata?.labels ?? {};
      const services = input.model.serviceSelection.selecting(namespace, podLabels);
      if (services.length < 2 || labels?.["gateway.istio.io/managed"] !== undefined) continue;
      if (!isInMesh(input, object)) continue;
      const ports = services.flatMap((service) => (service.spec?.ports ?? []).map((port) => ({ service, port })));
      checkProtocols(input, object, ports);
      checkTargets(input, object, ports);
    }
  },
});

type Input = AnalyzerInput<"Deployment" | "Service" | "Namespace", "IST0116" | "IST0137">;

/** Whether pods of the Deployment will have a sidecar; taken to be so where its Namespace is not known. */
function isInMesh({ world }: Input, object: Workload): boolean {
  const pod = impliedPod(object);
  const namespace = world.get("Namespace", "", object.metadata.namespace ?? "");
  return pod !== undefined && (namespace === undefined || wishedInjection(pod, namespace).inject);
}

interface Offer {
  readonly service: Service;
  readonly port: ServicePortSpec;
}

function checkProtocols({ report }: Input, object: KubeObject, offers: readonly Offer[]): void {
  for (const [port, same] of groups(offers, (offer) => offer.port.port)) {
    // a Service with both, as DNS has it, agrees with each
    const single = [...groups(same, ({ service }) => service).values()].filter((each) => protocolsOf(each).size === 1);
    if (protocolsOf(single.flat()).size < 2) continue;
    const services = namesOf(single.flat());
    const args = { deployment: object.metadata.name, port, services: listText(services) };
    report(object, ["metadata", "name"], "IST0116", args, ...relatedOf(same));
  }
}

function checkTargets({ report }: Input, object: KubeObject, offers: readonly Offer[]): void {
  const tcp = offers.filter(({ port }) => (port.protocol ?? "TCP") === "TCP");
  for (const [targetPort, same] of groups(tcp, ({ port }) => String(port.targetPort ?? port.port))) {
    const ports = [...new Set(same.map(({ port }) => port.port))].toSorted((a, b) => a - b);
    if (ports.length < 2) continue;
    const services = listText(namesOf(same));
    const args = { deployment: object.metadata.name, services, targetPort, ports: ports.join(" ") };
    report(object, ["metadata", "name"], "IST0137", args, ...relatedOf(same));
  }
}

function protocolsOf(offers: readonly Offer[]): ReadonlySet<string> {
  return new Set(offers.map(({ port }) => port.protocol ?? "TCP"));
}

function groups<K>(offers: readonly Offer[], keyOf: (offer: Offer) => K): ReadonlyMap<K, readonly Offer[]> {
  const byKey = new Map<K, Offer[]>();
  for (const offer of offers) byKey.set(keyOf(offer), [...(byKey.get(keyOf(offer)) ?? []), offer]);
  return byKey;
}

function namesOf(offers: readonly Offer[]): readonly string[] {
  return [...new Set(offers.map(({ service }) => service.metadata.name))].toSorted();
}

function relatedOf(
  offers: readonly Offer[],
): readonly { readonly object: Service; readonly path: readonly string[]; readonly words: string }[] {
  return [...new Set(offers.map(({ service }) => service))]
    .slice(0, 2)
    .map((object) => ({ object, path: ["spec", "ports"], words: "ports of a Service in front of it" }));
}
