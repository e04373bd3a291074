import type { Messages } from "../wire/codec.ts";
import { formatted } from "./format.ts";
import { firstValue, PSEUDO_HEADERS, type SimulatedRequest } from "./request.ts";

type Option = Messages["envoy.config.core.v3.HeaderValueOption"];

/** One level's changes of request headers: a weighted cluster's, a route's, a virtual host's or a table's. */
export interface HeaderChanges {
  readonly request_headers_to_add?: readonly Option[] | undefined;
  readonly request_headers_to_remove?: readonly string[] | undefined;
}

/**
 * A request after one level's changes (Envoy's HeaderParser::evaluateHeaders): what is removed goes first; then values and conditions
 * are worked out, none seeing another's effect; then overwriting is done before adding.
 */
export function changeHeaders(request: SimulatedRequest, changes: HeaderChanges): SimulatedRequest {
  const removed = new Set((changes.request_headers_to_remove ?? []).map((name) => name.toLowerCase()));
  const kept = { ...request, headers: request.headers.filter(([name]) => !removed.has(name)) };
  const steps = (changes.request_headers_to_add ?? []).flatMap((option) => stepOf(kept, option));
  return [...steps.filter(({ overwrite }) => overwrite), ...steps.filter(({ overwrite }) => !overwrite)].reduce(
    take,
    kept,
  );
}

interface Step {
  readonly name: string;
  readonly value: string;
  readonly overwrite: boolean;
}

function stepOf(request: SimulatedRequest, option: Option): readonly Step[] {
  const name = (option.header?.key ?? "").toLowerCase();
  const value = formatted(option.header?.value ?? "", request);
  if (value === "" && option.keep_empty_value !== true) return [];
  const { when, overwrite } = ACTIONS[actionOf(option)];
  const there = firstValue(request, name) !== undefined;
  return when === "always" || (when === "there") === there ? [{ name, value, overwrite }] : [];
}

type Action = NonNullable<Option["append_action"]>;

/** When each action does something, and what. */
const ACTIONS: Readonly<Record<Action, { readonly when: "always" | "there" | "absent"; readonly overwrite: boolean }>> =
  {
    APPEND_IF_EXISTS_OR_ADD: { when: "always", overwrite: false },
    ADD_IF_ABSENT: { when: "absent", overwrite: false },
    OVERWRITE_IF_EXISTS_OR_ADD: { when: "always", overwrite: true },
    OVERWRITE_IF_EXISTS: { when: "there", overwrite: true },
  };

/** The older switch `append` says the same with two values. */
function actionOf({ append, append_action }: Option): Action {
  return append_action ?? (append === false ? "OVERWRITE_IF_EXISTS_OR_ADD" : "APPEND_IF_EXISTS_OR_ADD");
}

function take(request: SimulatedRequest, { name, value, overwrite }: Step): SimulatedRequest {
  const pseudo = PSEUDO_HEADERS[name];
  if (pseudo !== undefined) return { ...request, [pseudo]: value };
  const others = overwrite ? request.headers.filter(([key]) => key !== name) : request.headers;
  return { ...request, headers: [...others, [name, value]] };
}
