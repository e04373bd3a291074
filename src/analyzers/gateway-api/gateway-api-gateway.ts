import { gatewayProblems } from "../../compile/gateway-api/gateway-status.ts";
import type { FieldPath } from "../../diagnostics/finding.ts";
import type { ApiGateway, Listener } from "../../model/gateway-api-types.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { reportProblems, withCodes } from "./shared-report.ts";

const CODES = [
  "MSH0703",
  "MSH0704",
  "MSH0706",
  "MSH0707",
  "MSH0710",
  "MSH0711",
  "MSH0712",
  "MSH0713",
  "MSH0714",
  "MSH0715",
  "MSH0716",
  "MSH0719",
] as const;
const READS = [
  "ConfigMap",
  "GatewayClass",
  "KubernetesGateway",
  "Namespace",
  "ReferenceGrant",
  "Secret",
  "Service",
] as const;

/** What a controller would write as conditions of a Gateway and its listeners, and listeners that nothing can use. */
export const gatewayApiGateway = defineAnalyzer({
  name: "gateway-api-gateway",
  summary: "Computes the conditions of Gateways and their listeners: addresses, conflicts, protocols, certificates.",
  reads: READS,
  codes: [...CODES, "MSH0705", "MSH0717", "MSH0718"],
  analyze: (input) => {
    const { world, model } = input;
    const gateways = world.list("KubernetesGateway").filter((gateway) => {
      const served = model.gatewayApi.classes.of(gateway);
      return served.known && served.ours;
    });
    for (const gateway of gateways) {
      const { namespace = "", name } = gateway.metadata;
      const listeners = model.gatewayApi.listeners.of(namespace, name);
      const problems = [...gatewayProblems(model, gateway), ...listeners.flatMap((each) => toldHere(each, listeners))];
      reportProblems(input, gateway, withCodes(problems, CODES));
      reportOverlaps(input, gateway, listeners);
      for (const listener of listeners) reportUnreachable(input, gateway, listener);
    }
    reportShared(input, gateways);
  },
});

type Input = AnalyzerInput<(typeof READS)[number], (typeof CODES)[number] | "MSH0705" | "MSH0717" | "MSH0718">;

/** Two listeners that are the same in all are a mistake of the object alone, which validation tells. */
function toldHere({ problems, protocol }: Listener, all: readonly Listener[]): Listener["problems"] {
  return problems.filter(
    ({ code, args }) => code !== "MSH0710" || all.find(({ name }) => name === args.other)?.protocol !== protocol,
  );
}

/** Each pair once, at the later listener; a certificate for several hosts is common and told by the condition alone. */
function reportOverlaps({ report }: Input, gateway: ApiGateway, listeners: readonly Listener[]): void {
  const told = new Set<string>();
  for (const { overlaps } of listeners)
    for (const { code, path, args } of overlaps) {
      if (code !== "MSH0717" || args.by !== "hostnames") continue;
      const pair = [args.listener, args.other].toSorted().join(" ");
      if (!told.has(pair)) report(gateway, path, code, args);
      told.add(pair);
    }
}

/** A listener whose selector fits no namespace. Whether such a namespace comes later, only a whole cluster says. */
function reportUnreachable({ world, model, knows, report }: Input, gateway: ApiGateway, listener: Listener): void {
  const allowed = gateway.spec?.listeners[listener.index]?.allowedRoutes?.namespaces;
  if (allowed?.from !== "Selector" || !knows("Namespace")) return;
  const namespaces = world.list("Namespace").map(({ metadata }) => metadata.name);
  if (namespaces.some((namespace) => model.gatewayApi.listeners.admits(listener, namespace) !== false)) return;
  const path = ["spec", "listeners", listener.index, "allowedRoutes", "namespaces", "selector"];
  report(gateway, path, "MSH0718", { listener: listener.name, why: "its selector fits no namespace" });
}

/** Gateways have their own pods and addresses; only those that ask for the same address, or Service, meet at a port. */
function reportShared({ report }: Input, gateways: readonly ApiGateway[]): void {
  const owners = new Map<string, ApiGateway>();
  for (const gateway of gateways)
    for (const { value, path, spots } of spotsOf(gateway)) {
      const owner = spots.map((spot) => owners.get(spot)).find((each) => each !== undefined && each !== gateway);
      for (const spot of spots) if (!owners.has(spot)) owners.set(spot, gateway);
      if (owner === undefined) continue;
      const other = `Gateway ${owner.metadata.namespace ?? ""}/${owner.metadata.name}`;
      const place = { object: owner, path: ["spec", "addresses"], words: "the other Gateway" };
      report(gateway, path, "MSH0705", { value, other }, place);
    }
}

interface Address {
  readonly value: string;
  readonly path: FieldPath;
  /** Address, port and host of each listener. */
  readonly spots: readonly string[];
}

function spotsOf({ spec, metadata }: ApiGateway): readonly Address[] {
  return (spec?.addresses ?? []).flatMap(({ type = "IPAddress", value = "" }, index): readonly Address[] => {
    if (value === "") return [];
    const isShort = type === "Hostname" && !value.includes(".");
    const address = isShort ? `${value}.${metadata.namespace ?? ""}.svc` : value;
    const spots = (spec?.listeners ?? []).map(({ port, hostname = "*" }) => `${address} ${port} ${hostname}`);
    return [{ value, path: ["spec", "addresses", index, "value"], spots }];
  });
}
