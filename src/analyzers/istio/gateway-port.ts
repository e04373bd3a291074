import type { Gateway } from "../../model/gateways.ts";
import { namedSelector } from "../../model/selectors.ts";
import type { Pod } from "../../resources/core.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { labelsText, listText } from "./shared-names.ts";

/**
 * A Gateway's port that no Service in front of its pods has cannot be reached through them. Both numbers of a Service's port
 * count: its own, and that of the pod (a named targetPort is looked up in the pod).
 */
export const gatewayPort = defineAnalyzer({
  name: "gateway-port",
  summary: "Checks that ports of Gateways are ports of a Service in front of their pods.",
  reads: ["Gateway", "Pod", "Service"],
  codes: ["IST0162"],
  analyze: (input) => {
    for (const object of input.world.list("Gateway")) checkGateway(input, object);
  },
});

type Input = AnalyzerInput<"Gateway" | "Pod" | "Service", "IST0162">;

function checkGateway(input: Input, object: Gateway): void {
  const selector = namedSelector(object.spec?.selector);
  const pods = selector === undefined ? [] : input.model.workloads.selected(undefined, selector);
  // no pods: gateway-reference says so
  if (selector === undefined || pods.length === 0) return;
  const open = pods.map((pod) => openPorts(input, pod));
  if (open.some((ports) => ports === undefined)) return;
  const ports = new Set(open.flatMap((each) => each ?? []));
  const text = labelsText(selector);
  if (ports.size === 0 && !pods.some(({ metadata }) => input.knows("Service", metadata.namespace ?? "")))
    return input.unknown(`ports of gateway pods ${text}: no Service of their namespace is in the files`);
  checkServers(input, object, ports, text);
}

function checkServers({ report }: Input, object: Gateway, ports: ReadonlySet<number>, selector: string): void {
  const known = listText([...ports].toSorted((a, b) => a - b).map(String), ", ");
  for (const [index, { port }] of (object.spec?.servers ?? []).entries()) {
    if (ports.has(port.number)) continue;
    const args = { port: port.number, selector, ports: known === "" ? "none yet" : known };
    report(object, ["spec", "servers", index, "port", "number"], "IST0162", args);
  }
}

/** Ports by which a pod is reached; undefined when it is reached on the node's own address, whatever Services say. */
function openPorts({ model }: Input, { metadata, spec }: Pod): readonly number[] | undefined {
  if (spec?.hostNetwork === true) return undefined;
  const ofNode = (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap((port) => ("hostPort" in port ? [port.containerPort] : [])),
  );
  const served = model.workloads.servedPorts(metadata.namespace ?? "", metadata.name);
  return [...ofNode, ...served.flatMap(({ number, target }) => (target === undefined ? [number] : [number, target]))];
}
