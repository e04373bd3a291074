import type { HeaderChanges, HeaderOperations } from "../ir/route-features.ts";
import { byText } from "../model/order.ts";
import type { HttpRule } from "./http-match.ts";

type Spec = NonNullable<HttpRule["headers"]>;

const NOTHING: HeaderOperations = { set: [], add: [], remove: [] };

/**
 * Header changes of a rule or of one destination; undefined when there are none. Pseudo headers are not changed. `Host` (or
 * `:authority`) of a request is set as the host to forward to; added or removed it would be a request without one.
 */
export function headerChanges(spec: Spec | undefined): HeaderChanges | undefined {
  if (spec === undefined) return undefined;
  const request = operations(spec.request);
  const response = operations(spec.response);
  const host = Object.entries(spec.request?.set ?? {}).find(([name]) => isHost(name))?.[1];
  if (host === undefined && isNothing(request) && isNothing(response)) return undefined;
  return host === undefined ? { request, response } : { request, response, host };
}

function operations(spec: Spec["request"]): HeaderOperations {
  if (spec === undefined) return NOTHING;
  const pairs = (values: Readonly<Record<string, string>> = {}): HeaderOperations["set"] =>
    Object.entries(values)
      .filter(([name]) => isPlain(name))
      .toSorted(([a], [b]) => byText(a, b));
  return { set: pairs(spec.set), add: pairs(spec.add), remove: (spec.remove ?? []).filter(isPlain).toSorted(byText) };
}

function isHost(name: string): boolean {
  return name.toLowerCase() === "host" || name === ":authority";
}

function isPlain(name: string): boolean {
  return name !== "" && !name.startsWith(":") && name.toLowerCase() !== "host";
}

function isNothing({ set, add, remove }: HeaderOperations): boolean {
  return set.length + add.length + remove.length === 0;
}
