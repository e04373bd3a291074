import type { KubeObject } from "../../resources/object.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { podOwner } from "../pod-owner.ts";

/** Ways past a proxy, or past its filters. */
export const practiceProxies = defineAnalyzer({
  name: "practice-proxies",
  summary: "Finds traffic that goes past proxies, and EnvoyFilters that touch filters of security.",
  reads: ["EnvoyFilter", "Gateway", "Pod"],
  codes: ["MSH0183", "MSH0184"],
  profile: "security",
  analyze: (input) => {
    for (const pod of input.world.list("Pod")) {
      if (input.model.workloads.isGateway(pod)) continue;
      const { object, at } = podOwner(pod);
      for (const [annotation, value] of Object.entries(pod.metadata.annotations ?? {}))
        if (isExclusion(annotation, value))
          input.report(object, [...at, "metadata", "annotations", annotation], "MSH0183", { annotation, value });
    }
    for (const filter of input.world.list("EnvoyFilter")) checkPatches(input, filter);
  },
});

/** Annotations that take traffic out; `all` is what they mean when everything is captured. */
const CAPTURE: Readonly<Record<string, string>> = {
  "traffic.sidecar.istio.io/excludeInboundPorts": "",
  "traffic.sidecar.istio.io/excludeOutboundPorts": "",
  "traffic.sidecar.istio.io/excludeOutboundIPRanges": "",
  "traffic.sidecar.istio.io/excludeInterfaces": "",
  "traffic.sidecar.istio.io/includeInboundPorts": "*",
  "traffic.sidecar.istio.io/includeOutboundIPRanges": "*",
};

function isExclusion(annotation: string, value: string): boolean {
  if (annotation === "sidecar.istio.io/interceptionMode") return value === "NONE";
  return Object.hasOwn(CAPTURE, annotation) && value !== CAPTURE[annotation];
}

const DECIDING = /(?:^|\.)(?:jwt_authn|ext_authz|rbac|istio_authn)$/;
const ROUTER = "envoy.filters.http.router";

/** What a patch does to a filter that decides, or to the filter at the end; a filter in front of all runs before they decide. */
function checkPatches(
  { report }: AnalyzerInput<"EnvoyFilter" | "Gateway" | "Pod", "MSH0183" | "MSH0184">,
  object: KubeObject,
): void {
  for (const [index, patch] of list(member(object.spec, "configPatches")).entries()) {
    const operation = text(member(member(patch, "patch"), "operation"));
    const applyTo = text(member(patch, "applyTo"));
    if (applyTo !== "HTTP_FILTER" && applyTo !== "NETWORK_FILTER") continue;
    const filter = member(member(member(member(patch, "match"), "listener"), "filterChain"), "filter");
    const [outer, inner] = [member(filter, "name"), member(member(filter, "subFilter"), "name")];
    const name = text(applyTo === "HTTP_FILTER" ? inner : outer);
    if (!touches(operation, name)) continue;
    const where = name === "" ? "the front of the filters" : name;
    report(object, ["spec", "configPatches", index, "patch", "operation"], "MSH0184", { operation, filter: where });
  }
}

function touches(operation: string, name: string): boolean {
  if (operation === "INSERT_FIRST") return true;
  if (DECIDING.test(name)) return operation !== "INSERT_AFTER";
  return name === ROUTER && (operation === "REMOVE" || operation === "REPLACE");
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}
