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

/** Only for callers of neither namespace the order counts: each namespace takes its own entry first. */
function checkPorts(input: Input, entry: ServiceEntry, taken: Map<string, Owner[]>): void {
  const { namespace = "" } = entry.metadata;
  for (const [index, host] of (entry.spec?.hosts ?? []).entries())
    for (const { number, protocol = "" } of entry.spec?.ports ?? []) {
      const key = `${host}:${number}`;
      const owners = taken.get(key) ?? [];
      const winner = owners.find(
        (owner) =>
          owner.entry !== entry &&
          (owner.entry.metadata.namespace === namespace || (isPublic(input, owner.entry) && isPublic(input, entry))),
      );
      // with different protocols it is IST0177
      if (winner !== undefined && winner.protocol === protocol)
        input.report(
          entry,
          ["spec", "hosts", index],
          "MSH0122",
          { host, port: number, other: refText(refOf(winner.entry)) },
          { object: winner.entry, path: ["spec", "hosts"], words: "the entry that comes first" },
        );
      // one public entry stands for all later public ones, one of each namespace for its namespace
      if (winner === undefined) taken.set(key, [...owners, { entry, host, protocol }]);
    }
}

function isPublic({ model }: Input, { spec }: ServiceEntry): boolean {
  const { exportTo = [] } = spec ?? {};
  return (exportTo.length === 0 ? model.meshConfig().defaultServiceExportTo : exportTo).includes("*");
}

/** HTTP and TLS name their host themselves; plain TCP is told by address and port alone. */
function checkAddresses({ report }: Input, entry: ServiceEntry, taken: Map<string, Owner>): void {
  const { hosts = [], addresses = [], ports = [] } = entry.spec ?? {};
  for (const host of hosts)
    for (const [index, address] of addresses.entries())
      for (const { number: port, name, protocol = "" } of ports) {
        if (selectProtocol({ port, name, appProtocol: protocol }) !== "tcp") continue;
        const key = `${address}:${port}`;
        const owner = taken.get(key);
        if (owner === undefined) taken.set(key, { entry, host, protocol });
        else if (owner.entry !== entry && owner.host !== host)
          report(
            entry,
            ["spec", "addresses", index],
            "MSH0123",
            { address, port, host, other: `${owner.host} of ${refText(refOf(owner.entry))}` },
            { object: owner.entry, path: ["spec", "addresses"], words: "the entry that has the address first" },
          );
      }
}
