import type { CodeArgs, CodeRecord } from "./codes/code.ts";
import { gatewayApiCodes } from "./codes/gateway-api.ts";
import { injectionCodes } from "./codes/injection.ts";
import { istioCodes } from "./codes/istio.ts";
import { objectCodes } from "./codes/objects.ts";
import { observingCodes } from "./codes/observing.ts";
import { readingCodes } from "./codes/reading.ts";
import { securityCodes } from "./codes/security.ts";
import { trafficCodes } from "./codes/traffic.ts";
import { workloadCodes } from "./codes/workloads.ts";
import type { FieldPath, Finding, ObjectRef, SourcePosition } from "./finding.ts";

/**
 * Every code, sorted. `IST` and four digits: a condition that Istio has, with Istio's code and level. `MSH` and four digits:
 * ours, by area, one file each:
 *
 * - 0001-0099 reading input (files, stdin)
 * - 0100-0129 routing: hosts, routes, gateways, services in relation to each other
 * - 0130-0149 workloads: pods, services, injection
 * - 0150-0199 security
 * - 0200-0299 one object alone (validation)
 * - 0300-0399 profiles and install
 * - 0400-0499 cluster checks
 * - 0500-0599 injection
 * - 0600-0699 what proxies and the control plane report
 * - 0700-0799 Gateway API
 * - 0800-0899 observing: metrics, traces, logs
 *
 * A code is never renamed or used again for something else. Each has a page docs/codes/<CODE>.md.
 */
export const codes = {
  ...istioCodes,
  ...readingCodes,
  ...trafficCodes,
  ...workloadCodes,
  ...securityCodes,
  ...objectCodes,
  ...injectionCodes,
  ...gatewayApiCodes,
  ...observingCodes,
} as const;

export type Code = keyof typeof codes;

/** The arguments that a code's message needs. */
export type ArgsOf<C extends Code> = Parameters<(typeof codes)[C]["message"]>[0];

/** Everything about where a finding belongs. */
export interface FindingPlace {
  readonly object: ObjectRef | undefined;
  readonly path?: FieldPath;
  readonly position?: SourcePosition;
}

/** A finding of a code, with the arguments that the code's message needs. */
export function finding<C extends Code>(code: C, place: FindingPlace, args: ArgsOf<C>): Finding {
  const { object, path = [], position } = place;
  return { code, level: codes[code].level, object, path, args, position };
}

/** The record of a finding's code, or undefined for a code of a newer program. */
export function recordOf(code: string): CodeRecord<CodeArgs> | undefined {
  return Object.hasOwn(codes, code) ? (codes[code as Code] as unknown as CodeRecord<CodeArgs>) : undefined;
}

/** What a finding says. */
export function messageOf(finding: Finding): string {
  return recordOf(finding.code)?.message(finding.args) ?? `${finding.code} ${JSON.stringify(finding.args)}`;
}

/** What to do about a finding. */
export function hintOf(finding: Finding): string | undefined {
  return recordOf(finding.code)?.hint(finding.args);
}

/** Where a code is explained: Istio's site for Istio's codes, our page for ours. */
export function documentationOf(code: string): string {
  return code.startsWith("IST")
    ? `https://istio.io/latest/docs/reference/config/analysis/${code.toLowerCase()}/`
    : `docs/codes/${code}.md`;
}
