import { isIP } from "node:net";
import { parseYaml } from "../resources/yaml-plain.ts";
import { annotationRegistry } from "./annotation-registry.ts";
import { own } from "../base/own.ts";

/** What the mesh knows of an annotation. */
export interface AnnotationFacts {
  /** Kinds that read it; `Any` for all. */
  readonly on: readonly string[];
  /** Deprecated: what to use in its place, "" for nothing. */
  readonly deprecated?: string;
}

/** Whether a key looks like one of the mesh: of `istio.io` or a name below it. */
export function isMeshAnnotation(key: string): boolean {
  const end = key.indexOf("/");
  if (end < 0 || !key.startsWith("istio.io", end - "istio.io".length)) return false;
  return end === "istio.io".length || key[end - "istio.io".length - 1] === ".";
}

/** What is known of an annotation, or undefined for one that nothing reads. */
export function annotationFacts(key: string): AnnotationFacts | undefined {
  return own(annotationRegistry, key);
}

type Check = (value: string) => boolean;

const QUANTITY = /^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|e\d+)?$/;
const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    allowed.includes(value);
const quantity: Check = (value) => QUANTITY.test(value);
const number: Check = (value) => /^\d+$/.test(value);
const list =
  (item: Check): Check =>
  (value) =>
    value.trim() === "" || value.split(",").every((part) => item(part.trim()));
const listOrAll =
  (item: Check): Check =>
  (value) =>
    value === "*" || list(item)(value);
const port: Check = (value) => number(value) && Number(value) <= 65_535;
/** As the kernel has them: up to 15 characters, no slash, no space. */
const networkInterface: Check = (value) => /^[^\s/,]{1,15}$/.test(value);

/** Annotations whose values the injector refuses when they make no sense, with what it expects. istioctl.md 4.6. */
const CHECKS: Readonly<Record<string, { readonly check: Check; readonly expected: string }>> = {
  "sidecar.istio.io/proxyCPU": { check: quantity, expected: "a quantity such as 100m" },
  "sidecar.istio.io/proxyCPULimit": { check: quantity, expected: "a quantity such as 2" },
  "sidecar.istio.io/proxyMemory": { check: quantity, expected: "a quantity such as 128Mi" },
  "sidecar.istio.io/proxyMemoryLimit": { check: quantity, expected: "a quantity such as 1Gi" },
  "sidecar.istio.io/interceptionMode": {
    check: oneOf("REDIRECT", "TPROXY", "NONE"),
    expected: "REDIRECT, TPROXY or NONE",
  },
  "status.sidecar.istio.io/port": { check: port, expected: "a port, or 0 for no probes" },
  "readiness.status.sidecar.istio.io/initialDelaySeconds": { check: number, expected: "a number of seconds" },
  "readiness.status.sidecar.istio.io/periodSeconds": { check: number, expected: "a number of seconds" },
  "readiness.status.sidecar.istio.io/failureThreshold": { check: number, expected: "a number" },
  "traffic.sidecar.istio.io/includeOutboundIPRanges": { check: listOrAll(isCidr), expected: "*, or a list of CIDRs" },
  "traffic.sidecar.istio.io/excludeOutboundIPRanges": { check: list(isCidr), expected: "a list of CIDRs" },
  "traffic.sidecar.istio.io/includeInboundPorts": { check: listOrAll(port), expected: "*, or a list of ports" },
  "traffic.sidecar.istio.io/excludeInboundPorts": { check: list(port), expected: "a list of ports" },
  "traffic.sidecar.istio.io/includeOutboundPorts": { check: list(port), expected: "a list of ports" },
  "traffic.sidecar.istio.io/excludeOutboundPorts": { check: list(port), expected: "a list of ports" },
  "traffic.sidecar.istio.io/excludeInterfaces": { check: list(networkInterface), expected: "a list of interfaces" },
  "traffic.sidecar.istio.io/kubevirtInterfaces": { check: list(networkInterface), expected: "a list of interfaces" },
  "istio.io/reroute-virtual-interfaces": { check: list(networkInterface), expected: "a list of interfaces" },
  "prometheus.istio.io/merge-metrics": { check: oneOf("true", "false"), expected: "true or false" },
  "sidecar.istio.io/rewriteAppHTTPProbers": { check: oneOf("true", "false"), expected: "true or false" },
  "proxy.istio.io/config": { check: isYamlMap, expected: "a ProxyConfig as YAML" },
};

/** Why the value of an annotation has no meaning, as `expected …, got …`; undefined when it is right or not checked. */
export function annotationProblem(key: string, value: string): string | undefined {
  const known = own(CHECKS, key);
  return known === undefined || known.check(value) ? undefined : `expected ${known.expected}, got "${value}"`;
}

function isCidr(value: string): boolean {
  const [address, bits, more] = value.split("/");
  const family = isIP(address ?? "");
  return (
    more === undefined &&
    family !== 0 &&
    bits !== undefined &&
    number(bits) &&
    Number(bits) <= (family === 4 ? 32 : 128)
  );
}

function isYamlMap(value: string): boolean {
  try {
    const parsed: unknown = parseYaml(value);
    return parsed === null || parsed === undefined || (typeof parsed === "object" && !Array.isArray(parsed));
  } catch {
    return false;
  }
}
