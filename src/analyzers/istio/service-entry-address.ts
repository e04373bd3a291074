import type { KindTypes } from "../../resources/kinds.ts";
import { defineAnalyzer } from "../analyzer.ts";

/** On a ServiceEntry: "true" and "false" say whether the control plane gives it addresses. */
const AUTO_ALLOCATE_LABEL = "networking.istio.io/enable-autoallocate-ip";

/**
 * TCP carries no host: without addresses the proxy listens on the port for every destination, and what was meant for another
 * host with that port goes to this one. Nothing is said where addresses come by themselves: status has some, the entry asks for
 * them, or proxies capture DNS, for which the control plane allocates.
 */
export const serviceEntryAddress = defineAnalyzer({
  name: "service-entry-address",
  summary: "Checks that ServiceEntries with TCP ports have addresses.",
  reads: ["ServiceEntry", "ConfigMap"],
  codes: ["IST0134"],
  analyze: ({ world, model, report }) => {
    const allocates = capturesDns(model.meshConfig().defaultConfig);
    for (const object of world.list("ServiceEntry")) {
      if (hasAddresses(object) || allocated(object, allocates)) continue;
      for (const [index, { number, protocol = "" }] of (object.spec?.ports ?? []).entries())
        if (protocol === "" || protocol.toUpperCase() === "TCP")
          report(object, ["spec", "ports", index], "IST0134", {
            port: number,
            protocol: protocol === "" ? "no protocol named" : protocol,
          });
    }
  },
});

type ServiceEntry = KindTypes["ServiceEntry"];

function hasAddresses({ spec, status }: ServiceEntry): boolean {
  const given = (status as { readonly addresses?: readonly unknown[] } | undefined)?.addresses ?? [];
  return (spec?.addresses ?? []).length > 0 || given.length > 0;
}

function allocated({ metadata, spec }: ServiceEntry, allocates: boolean): boolean {
  const asked = metadata.labels?.[AUTO_ALLOCATE_LABEL];
  if (asked !== undefined) return asked === "true";
  // no address is given to a name that is not resolved
  const isResolved = spec?.resolution !== undefined && spec.resolution !== "NONE";
  return allocates && isResolved && !(spec?.hosts ?? []).some((host) => host.startsWith("*"));
}

function capturesDns(defaultConfig: Readonly<Record<string, unknown>>): boolean {
  const metadata = (defaultConfig["proxyMetadata"] ?? {}) as Readonly<Record<string, unknown>>;
  // written as text, or as a YAML switch
  const is = (name: string, value: boolean): boolean => metadata[name] === value || metadata[name] === String(value);
  return is("ISTIO_META_DNS_CAPTURE", true) && !is("PILOT_ENABLE_IP_AUTOALLOCATE", false);
}
