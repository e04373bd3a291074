import { nearest } from "../../base/nearest.ts";
import { targetPortOf } from "../../model/pods.ts";
import { selectProtocol } from "../../model/protocol.ts";
import { namedSelector } from "../../model/selectors.ts";
import type { Pod, ServicePortSpec } from "../../resources/core.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { podOwner } from "../pod-owner.ts";

/** Ports of Services against those of their pods, and against what the mesh makes of them. */
export const servicePorts = defineAnalyzer({
  name: "service-ports",
  summary: "Checks that targetPorts exist in the pods, and that server-first protocols are named.",
  reads: ["Service", "ServiceEntry", "Pod", "Gateway"],
  codes: ["MSH0130", "MSH0131", "MSH0132"],
  analyze: (input) => {
    for (const service of input.world.list("Service")) checkService(input, service);
    for (const entry of input.world.list("ServiceEntry"))
      for (const [index, { number: port, name, protocol, targetPort }] of (entry.spec?.ports ?? []).entries())
        if (selectProtocol({ port, name, appProtocol: protocol }) === "auto")
          checkServerFirst(input, entry, index, { port, name, targetPort: targetPort ?? port });
  },
});

type Input = AnalyzerInput<"Service" | "ServiceEntry" | "Pod" | "Gateway", "MSH0130" | "MSH0131" | "MSH0132">;
type Service = KindTypes["Service"];

function checkService(input: Input, service: Service): void {
  const { spec, metadata } = service;
  if (spec === undefined || spec.type === "ExternalName") return;
  const selector = namedSelector(spec.selector);
  const selected = selector === undefined ? [] : input.model.workloads.selected(metadata.namespace ?? "", selector);
  // a gateway opens the ports that Gateways ask for
  const pods = selected.filter((pod) => !input.model.workloads.isGateway(pod));
  for (const [index, port] of (spec.ports ?? []).entries()) {
    if (selectProtocol(port) === "auto") checkServerFirst(input, service, index, port);
    if (port.protocol === undefined || port.protocol === "TCP") checkTarget(input, service, pods, { port, index });
  }
}

/** A name must be there; a number is only told when the pods declare ports, and other ones. */
function checkTarget(
  { model, report }: Input,
  service: Service,
  pods: readonly Pod[],
  { port, index }: { readonly port: ServicePortSpec; readonly index: number },
): void {
  const [first] = pods;
  const target = port.targetPort ?? port.port;
  if (first === undefined) return;
  const declared = pods.map(({ metadata }) => model.pods.ports(metadata.namespace ?? "", metadata.name));
  const path = ["spec", "ports", index, ...(port.targetPort === undefined ? ["port"] : ["targetPort"])];
  const pod = podOwner(first).title;
  const number = targetPortOf([], target);
  if (number === undefined) {
    if (declared.some((ports) => targetPortOf(ports, target) !== undefined)) return;
    const names = declared.flatMap((ports) => ports.flatMap(({ name }) => (name === "" ? [] : [name])));
    const close = nearest(String(target), names) ?? "";
    report(service, path, "MSH0130", {
      port: port.name ?? `${port.port}`,
      target: String(target),
      pod,
      nearest: close,
    });
    return;
  }
  if (declared.some((ports) => ports.length === 0 || ports.some((each) => each.number === number))) return;
  const text = [...new Set(declared.flat().map((each) => each.number))].join(", ");
  report(service, path, "MSH0131", { port: port.name ?? `${port.port}`, target: number, pod, declared: text });
}

/** Ports of protocols in which the server speaks first; those that selectProtocol() knows are no "auto" any more. */
const SERVER_FIRST: Readonly<Record<number, string>> = {
  21: "FTP",
  22: "SSH",
  25: "SMTP",
  110: "POP3",
  143: "IMAP",
  587: "SMTP",
  3306: "MySQL",
  5900: "VNC",
};

function checkServerFirst(
  { report }: Input,
  object: Service | KindTypes["ServiceEntry"],
  index: number,
  { port, name = "", targetPort = port }: Pick<ServicePortSpec, "port" | "name" | "targetPort">,
): void {
  const protocol = SERVER_FIRST[port] ?? SERVER_FIRST[Number(targetPort)];
  if (protocol === undefined) return;
  const better = `tcp-${name === "" ? protocol.toLowerCase() : name}`;
  report(object, ["spec", "ports", index], "MSH0132", { port, protocol, name: better });
}
