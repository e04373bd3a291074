import type { Protocol, ServicePort } from "../../ir/service.ts";
import { resolveHost } from "../../model/host.ts";
import { isHttp } from "../../model/protocol.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** Rules for a protocol that the host's ports do not have: http rules on a port named tcp-… are passed over without a word. */
export const virtualserviceProtocol = defineAnalyzer({
  name: "virtualservice-protocol",
  summary: "Checks that rules of VirtualServices are for a protocol that their hosts have.",
  reads: ["VirtualService", "Service", "ServiceEntry", "ConfigMap"],
  codes: ["MSH0117"],
  analyze: (input) => {
    for (const object of input.world.list("VirtualService")) checkHosts(input, object);
  },
});

type Input = AnalyzerInput<"VirtualService" | "Service" | "ServiceEntry" | "ConfigMap", "MSH0117">;

/** Whether rules of a kind have an effect for a port; what its bytes decide may be anything. */
const FITS = {
  http: (protocol: Protocol) => isHttp(protocol) || protocol === "auto",
  tls: (protocol: Protocol) => !isHttp(protocol),
  tcp: (protocol: Protocol) => !isHttp(protocol),
} as const;

function checkHosts(input: Input, object: KindTypes["VirtualService"]): void {
  const { gateways = [], hosts = [] } = object.spec ?? {};
  // at a gateway the server's protocol decides
  if (gateways.length > 0 && !gateways.includes("mesh")) return;
  const { namespace } = refOf(object);
  for (const host of hosts) {
    const service = input.model.services.visible(namespace, resolveHost(host, namespace, input.model.domain));
    if (service !== undefined && service.ports.length > 0) checkRules(input, object, host, service.ports);
  }
}

function checkRules(
  { report }: Input,
  object: KindTypes["VirtualService"],
  host: string,
  ports: readonly ServicePort[],
): void {
  for (const rules of ["http", "tls", "tcp"] as const) {
    const { length } = object.spec?.[rules] ?? [];
    if (length === 0 || ports.some(({ protocol }) => FITS[rules](protocol))) continue;
    const title = ports.map(({ number, protocol }) => `${number} (${protocol})`).join(", ");
    report(object, ["spec", rules], "MSH0117", { rules, host, ports: title });
  }
}
