import { compact } from "../../base/compact.ts";
import type { HeaderChanges, HeaderOperations } from "../../ir/route-features.ts";
import type { Messages } from "../../wire/codec.ts";
import type { RouteFeature } from "./types.ts";

type Option = Messages["envoy.config.core.v3.HeaderValueOption"];

/**
 * Header changes of a route and of its targets. Envoy applies a target's before the route's, so on one header both set, the
 * route's value stands; that is Istio's order too.
 */
export const headers: RouteFeature = {
  key: "headers",
  route: ({ headers: changes }) => fields(changes),
  forward: ({ headers: changes }) => hostOf(changes),
  target: ({ headers: changes }) => ({ ...fields(changes), ...hostOf(changes) }),
};

function hostOf(changes: HeaderChanges | undefined): { readonly host_rewrite_literal?: string } {
  return changes?.host === undefined ? {} : { host_rewrite_literal: changes.host };
}

interface HeaderFields {
  readonly request_headers_to_add?: readonly Option[];
  readonly request_headers_to_remove?: readonly string[];
  readonly response_headers_to_add?: readonly Option[];
  readonly response_headers_to_remove?: readonly string[];
}

function fields(changes: HeaderChanges | undefined): HeaderFields {
  if (changes === undefined) return {};
  const { request, response } = changes;
  return compact({
    request_headers_to_add: options(request),
    request_headers_to_remove: nonEmpty(request.remove),
    response_headers_to_add: options(response),
    response_headers_to_remove: nonEmpty(response.remove),
  });
}

function options({ set, add }: HeaderOperations): readonly Option[] | undefined {
  return nonEmpty([
    ...set.map(([key, value]) => option(key, value, "OVERWRITE_IF_EXISTS_OR_ADD")),
    ...add.map(([key, value]) => option(key, value, "APPEND_IF_EXISTS_OR_ADD")),
  ]);
}

function option(key: string, value: string, append_action: NonNullable<Option["append_action"]>): Option {
  // a header with an empty value is a header too
  return { header: { key, value }, append_action, keep_empty_value: value === "" };
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
