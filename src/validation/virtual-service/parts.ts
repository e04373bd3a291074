import type { FieldPath } from "../../diagnostics/finding.ts";
import type { Destination, VirtualServiceHttpRoute, VirtualServiceSpec } from "../../gen/schema-types.ts";
import type { Rules } from "../rule.ts";

/** Rules of VirtualService, in one of the files of this folder. */
export type VirtualServiceRules = Rules<VirtualServiceSpec>;

/** Visits each HTTP rule. */
export function eachHttp(
  spec: VirtualServiceSpec,
  visit: (rule: VirtualServiceHttpRoute, path: FieldPath) => void,
): void {
  // each rule of this kind asks for each object: without iterators, which cost more than what is visited
  spec.http?.forEach((rule, index) => visit(rule, ["http", index]));
}

/** A destination with its weight, as every protocol has it. */
export interface Weighted {
  readonly destination: Destination;
  readonly weight?: number;
}

/** Visits the destinations of each rule that has some. */
export function eachRoute(
  spec: VirtualServiceSpec,
  visit: (routes: readonly Weighted[], path: FieldPath) => void,
): void {
  const of = (protocol: string, rules: readonly { readonly route?: readonly Weighted[] }[] | undefined): void =>
    rules?.forEach(({ route }, index) => {
      if (route !== undefined) visit(route, [protocol, index, "route"]);
    });
  of("http", spec.http);
  of("tls", spec.tls);
  of("tcp", spec.tcp);
}

/** Whether the rules hold at gateways alone: gateways are named, and `mesh` is not among them. */
export function isForGateways({ gateways = [] }: VirtualServiceSpec): boolean {
  return gateways.length > 0 && !gateways.includes("mesh");
}

/** Whether other objects delegate to this one: it has no hosts. */
export function isDelegate({ hosts = [] }: VirtualServiceSpec): boolean {
  return hosts.length === 0;
}

const CLAIMS = "@request.auth.claims";

/** Whether a header's name stands for a claim of a verified token. */
export function isClaim(name: string): boolean {
  if (!name.toLowerCase().startsWith(CLAIMS)) return false;
  const rest = name.slice(CLAIMS.length);
  return (rest.startsWith(".") && rest.length > 1) || (/^\[.*\]$/.test(rest) && rest.length > 2);
}
