import type { LogFormat } from "../ir/telemetry.ts";
import { type Json, type Messages, typed } from "../wire/codec.ts";

type Extension = Messages["envoy.config.core.v3.TypedExtensionConfig"];

/** What CEL expressions of users may call, wherever Envoy lets it be said. */
export const CEL_FUNCTIONS = {
  enable_string_conversion: true,
  enable_string_concat: true,
  enable_string_functions: true,
} as const;

/** How a line of an access log is written. */
export function lineFormat(format: LogFormat): Messages["envoy.config.core.v3.SubstitutionFormatString"] {
  const formatters = formattersOf("text" in format ? format.text : JSON.stringify(format.json));
  return {
    ...("text" in format
      ? { text_format_source: { inline_string: format.text } }
      : { json_format: format.json as Readonly<Record<string, Json>> }),
    ...(format.omitEmptyValues === true ? { omit_empty_values: true } : {}),
    ...(formatters.length === 0 ? {} : { formatters }),
  };
}

/** The operators of a format that Envoy does not know by itself, or not with all that they can. */
export function formattersOf(text: string): readonly Extension[] {
  return [...(text.includes("%CEL(") ? [CEL] : []), ...(text.includes("%REQ_WITHOUT_QUERY(") ? [WITHOUT_QUERY] : [])];
}

const CEL: Extension = {
  name: "envoy.formatter.cel",
  typed_config: typed("envoy.extensions.formatter.cel.v3.Cel", { cel_config: CEL_FUNCTIONS }),
};

const WITHOUT_QUERY: Extension = {
  name: "envoy.formatter.req_without_query",
  typed_config: typed("envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery", {}),
};
