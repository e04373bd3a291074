import { isIP } from "node:net";
import { InjectionError } from "./config.ts";

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
  "prometheus.istio.io/merge-metrics": { check: oneOf("true", "false"), expected: "true or false" },
  "sidecar.istio.io/rewriteAppHTTPProbers": { check: oneOf("true", "false"), expected: "true or false" },
};

/** Throws InjectionError for the first annotation with a value that has no meaning: half an injection would be worse. */
export function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  for (const [name, { check, expected }] of Object.entries(CHECKS)) {
    const value = annotations[name];
    if (value !== undefined && !check(value))
      throw new InjectionError(`annotation ${name}: expected ${expected}, got "${value}"`);
  }
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
