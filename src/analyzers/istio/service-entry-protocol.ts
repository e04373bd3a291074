import { exportsOverlap } from "../../model/visibility.ts";
import type { KindTypes } from "../../resources/kinds.ts";
import { defineAnalyzer } from "../analyzer.ts";
import { listText, nameOf } from "./shared-names.ts";

/**
 * Proxies keep one listener for a host's port, of one protocol; which one, of several, is decided by age. Names of one protocol
 * (`http`, `HTTP`) agree, and entries that no namespace sees together do not meet.
 */
export const serviceEntryProtocol = defineAnalyzer({
  name: "service-entry-protocol",
  summary: "Finds ServiceEntries that give one port of a host different protocols.",
  reads: ["ServiceEntry", "ConfigMap"],
  codes: ["IST0177"],
  analyze: ({ world, model, report }) => {
    const byPort = new Map<string, Claim[]>();
    for (const object of world.list("ServiceEntry"))
      for (const claim of claimsOf(object)) {
        const listed = byPort.get(claim.key);
        if (listed === undefined) byPort.set(claim.key, [claim]);
        else listed.push(claim);
      }
    const fallback = model.meshConfig().defaultServiceExportTo;
    for (const claims of byPort.values())
      for (const claim of claims.length > 1 ? claims : []) {
        const others = claims.filter(
          (other) =>
            other.protocol !== claim.protocol && exportsOverlap(sight(other.object), sight(claim.object), fallback),
        );
        const [other] = others;
        if (other === undefined) continue;
        const all = [claim, ...others];
        const entries = listText([...new Set(all.map(({ object }) => nameOf(object)))].toSorted(), ", ");
        const protocols = [...new Set(all.map(({ protocol }) => protocol))].toSorted().join(", ");
        const { object, path, host, port } = claim;
        const related = { object: other.object, path: other.path, words: `the same port as ${other.protocol}` };
        report(object, path, "IST0177", { entries, host, port, protocols }, related);
      }
  },
});

type ServiceEntry = KindTypes["ServiceEntry"];

interface Claim {
  readonly object: ServiceEntry;
  readonly path: readonly (string | number)[];
  readonly host: string;
  readonly port: number;
  readonly protocol: string;
  readonly key: string;
}

function claimsOf(object: ServiceEntry): readonly Claim[] {
  const ports = object.spec?.ports ?? [];
  return [...new Set(object.spec?.hosts ?? [])].flatMap((host) =>
    ports.map(({ number, protocol = "" }, index) => ({
      object,
      path: ["spec", "ports", index],
      host,
      port: number,
      protocol: protocol === "" ? "TCP" : protocol.toUpperCase(),
      key: `${number} ${host}`,
    })),
  );
}

function sight({ spec, metadata }: ServiceEntry): { readonly exportTo: readonly string[]; readonly owner: string } {
  return { exportTo: spec?.exportTo ?? [], owner: metadata.namespace ?? "" };
}
