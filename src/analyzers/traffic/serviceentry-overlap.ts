import { parseServiceHost, resolveHost } from "../../model/host.ts";
import { byAge } from "../../model/order.ts";
import { selectProtocol } from "../../model/protocol.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { refOf, refText } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";

/** ServiceEntries that say something about a host or an address that somebody else has said before. */
export const serviceentryOverlap = defineAnalyzer({
  name: "serviceentry-overlap",
  summary: "Finds ServiceEntries whose host or address is taken already.",
  reads: ["ServiceEntry", "Service", "ConfigMap"],
  codes: ["MSH0121", "MSH0122", "MSH0123"],
  analyze: (input) => {
    const entries = input.world.list("ServiceEntry").toSorted(byAge);
    const ports = new Map<string, Owner[]>();
    const addresses = new Map<string, Owner>();
    for (const entry of entries) {
      checkService(input, entry);
      checkPorts(input, entry, ports);
      checkAddresses(input, entry, addresses);
    }
  },
});

type Input = AnalyzerInput<"ServiceEntry" | "Service" | "ConfigMap", "MSH0121" | "MSH0122" | "MSH0123">;
type ServiceEntry = KindTypes["ServiceEntry"];

interface Owner {
  readonly entry: ServiceEntry;
  readonly host: string;
  readonly protocol: string;
}

function checkService({ model, report }: Input, entry: ServiceEntry): void {
  const { namespace = "" } = entry.metadata;
  for (const [index, written] of (entry.spec?.hosts ?? []).entries()) {
    const host = resolveHost(written, namespace, model.domain);
    const parsed = parseServiceHost(host, model.domain);
    const service = parsed === undefined ? undefined : model.services.kubernetes(parsed.namespace, parsed.name);
    if (service !== undefined)
      report(entry, ["spec", "hosts", index], "MSH0121", { host, service: refText(service.from) });
  }
}

/** One public entry stands for all later public ones, one of each namespace for its namespace. */
function checkPorts(input: Input, entry: ServiceEntry, taken: Map<string, Owner[]>): void {
  const { hosts = [], ports = [] } = entry.spec ?? {};
  for (const [index, host] of hosts.entries())
    for (const { number, protocol = "" } of ports) {
      const key = `${host}:${number}`;
      const owners = taken.get(key) ?? [];
      const winner = owners.find((owner) => owner.entry !== entry && meet(input, owner.entry, entry));
      if (winner === undefined) taken.set(key, [...owners, { entry, host, protocol }]);
      // with different protocols it is IST0177
      else if (winner.protocol === protocol) {
        const args = { host, port: number, other: refText(refOf(winner.entry)) };
        const related = { object: winner.entry, path: ["spec", "hosts"], words: "the entry that comes first" };
        input.report(entry, ["spec", "hosts", index], "MSH0122", args, related);
      }
    }
}

/** Each namespace takes its own entry first: two namespaces meet only in a third one. */
function meet(input: Input, a: ServiceEntry, b: ServiceEntry): boolean {
  return refOf(a).namespace === refOf(b).namespace || (isPublic(input, a) && isPublic(input, b));
}

function isPublic({ model }: Input, { spec }: ServiceEntry): boolean {
  const { exportTo = [] } = spec ?? {};
  return (exportTo.length === 0 ? model.meshConfig().defaultServiceExportTo : exportTo).includes("*");
}

/** HTTP and TLS name their host themselves; plain TCP is told by address and port alone. */
function checkAddresses({ report }: Input, entry: ServiceEntry, taken: Map<string, Owner>): void {
  const { hosts: [host = ""] = [], addresses = [], ports = [] } = entry.spec ?? {};
  const tcp = ports.filter(
    ({ number, name, protocol }) => selectProtocol({ port: number, name, appProtocol: protocol }) === "tcp",
  );
  for (const [index, address] of addresses.entries())
    for (const { number: port, protocol = "" } of tcp) {
      const key = `${address}:${port}`;
      const owner = taken.get(key) ?? { entry, host, protocol };
      taken.set(key, owner);
      if (owner.host === host) continue;
      const args = { address, port, host, other: `${owner.host} of ${refText(refOf(owner.entry))}` };
      const words = "the entry that has the address first";
      const related = { object: owner.entry, path: ["spec", "addresses"], words };
      report(entry, ["spec", "addresses", index], "MSH0123", args, related);
    }
}
