import type { Messages } from "../wire/codec.ts";
import { formatted } from "./format.ts";
import type { Headers, SimulatedRequest } from "./request.ts";

type Option = Messages["envoy.config.core.v3.HeaderValueOption"];

/** One level's changes of request headers: a weighted cluster's, a route's, a virtual host's or a table's. */
export interface HeaderChanges {
  readonly request_headers_to_add?: readonly Option[] | undefined;
  readonly request_headers_to_remove?: readonly string[] | undefined;
}

/** A request after one level's changes: what is removed goes first, then additions in their order. */
export function changeHeaders(request: SimulatedRequest, changes: HeaderChanges): SimulatedRequest {
  const removed = new Set((changes.request_headers_to_remove ?? []).map((name) => name.toLowerCase()));
  const kept = { ...request, headers: request.headers.filter(([name]) => !removed.has(name)) };
  return (changes.request_headers_to_add ?? []).reduce(add, kept);
}

function add(request: SimulatedRequest, option: Option): SimulatedRequest {
  const name = (option.header?.key ?? "").toLowerCase();
  const value = formatted(option.header?.value ?? "", request);
  if (value === "" && option.keep_empty_value !== true) return request;
  const pseudo = PSEUDO[name];
  if (pseudo !== undefined) return { ...request, [pseudo]: value };
  return { ...request, headers: appended(request.headers, [name, value], option) };
}

/** Headers that live outside of the list. */
const PSEUDO: Readonly<Record<string, "authority" | "path" | "method" | "scheme">> = {
  ":authority": "authority",
  host: "authority",
  ":path": "path",
  ":method": "method",
  ":scheme": "scheme",
};

function appended(headers: Headers, entry: readonly [string, string], option: Option): Headers {
  const there = headers.some(([name]) => name === entry[0]);
  // the older switch `append` says the same with two values
  const older = option.append === false ? "OVERWRITE_IF_EXISTS_OR_ADD" : "APPEND_IF_EXISTS_OR_ADD";
  switch (option.append_action ?? older) {
    case "ADD_IF_ABSENT":
      return there ? headers : [...headers, entry];
    case "OVERWRITE_IF_EXISTS":
      return there ? [...headers.filter(([name]) => name !== entry[0]), entry] : headers;
    case "OVERWRITE_IF_EXISTS_OR_ADD":
      return [...headers.filter(([name]) => name !== entry[0]), entry];
    case "APPEND_IF_EXISTS_OR_ADD":
      return [...headers, entry];
  }
}
