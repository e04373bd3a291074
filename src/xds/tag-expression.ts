import { createHash } from "node:crypto";
import { UNKNOWN_ENVIRONMENT } from "../base/peer.ts";
import { labelExpression } from "../base/proxy-expression.ts";
import type { Telemetry } from "../ir/telemetry.ts";
import { type Messages, typed } from "../wire/codec.ts";
import { CEL_FUNCTIONS } from "./log-format.ts";

type StateValue = Messages["envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue"];

/** A command of access log formats, as COALESCE takes it. */
type Command = string | { readonly command: string; readonly param: string };

/** What a command says, else the value of an environment variable: `unknown` unless said otherwise. */
export function orUnknown(command: Command, otherwise = UNKNOWN_ENVIRONMENT): string {
  return `%COALESCE(${JSON.stringify({ operators: [command, { command: "ENVIRONMENT", param: otherwise }] })})%`;
}

/** A text that means itself in a format. */
export function literal(text: string): string {
  return text.replaceAll("%", "%%");
}

/**
 * The format that gives a label's value, of an expression of CEL: what Envoy says by a command of its own costs half of an
 * expression. What converts or joins texts is not to be had where metrics are counted: it is computed when the request comes
 * (`tagStates`). What cannot be computed then either is `unknown`, as is what has no value.
 */
export function tagFormat(expression: string): string {
  const value = readValue(expression);
  switch (value.by) {
    case "nothing":
      return literal("unknown");
    case "text":
      return literal(value.text);
    case "command":
      return orUnknown(value.command);
    case "expression":
      return orUnknown({ command: "CEL", param: value.text });
    case "state":
      return orUnknown({ command: "FILTER_STATE", param: `${value.key}:PLAIN` });
  }
}

type Value =
  | { readonly by: "nothing" }
  | { readonly by: "text"; readonly text: string }
  | { readonly by: "command"; readonly command: Command }
  | { readonly by: "expression"; readonly text: string }
  | { readonly by: "state"; readonly key: string; readonly text: string };

function readValue(source: string): Value {
  const expression = labelExpression(source);
  if (expression === undefined || expression.when === "never") return { by: "nothing" };
  const { text, when } = expression;
  if (when === "before")
    return { by: "state", key: `istio.tag.${createHash("sha256").update(text).digest("hex").slice(0, 12)}`, text };
  return simpleValue(text) ?? { by: "expression", text };
}

const COMMANDS: Readonly<Record<string, Command>> = {
  "request.host": { command: "REQ", param: ":AUTHORITY" },
  "request.method": { command: "REQ", param: ":METHOD" },
  "request.protocol": "PROTOCOL",
  "request.useragent": { command: "REQ", param: "USER-AGENT" },
  "response.code": "RESPONSE_CODE",
};

function simpleValue(text: string): Value | undefined {
  const command = COMMANDS[text];
  if (command !== undefined) return { by: "command", command };
  const fixed = /^(["'])([^"'\\]*)\1$/.exec(text)?.[2];
  if (fixed !== undefined && fixed !== "") return { by: "text", text: fixed };
  const [, side, , name] = /^(request|response)\.headers\[(["'])([a-z0-9-]+)\2\]$/.exec(text) ?? [];
  if (side === undefined || name === undefined) return undefined;
  return { by: "command", command: { command: side === "request" ? "REQ" : "RESP", param: name } };
}

/** What has to be computed before a chain's metrics are counted, sorted by key; empty for nothing. */
export function tagStates(telemetry: Telemetry | undefined): readonly StateValue[] {
  const { metrics } = telemetry ?? {};
  if (metrics === undefined || metrics === "none") return [];
  const states = new Map<string, string>();
  for (const change of Object.values(metrics)) {
    if (change === "off") continue;
    for (const expression of Object.values(change.tags)) {
      const value = expression === null ? undefined : readValue(expression);
      if (value?.by === "state") states.set(value.key, value.text);
    }
  }
  return [...states]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([object_key, text]) => ({
      object_key,
      factory_key: "envoy.string",
      skip_if_empty: true,
      format_string: {
        text_format_source: { inline_string: `%CEL(${text})%` },
        omit_empty_values: true,
        formatters: [CEL_WITH_TEXTS],
      },
    }));
}

const CEL_WITH_TEXTS = {
  name: "envoy.formatter.cel",
  typed_config: typed("envoy.extensions.formatter.cel.v3.Cel", { cel_config: CEL_FUNCTIONS }),
};
