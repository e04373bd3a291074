import { defaultAccessLogJson, defaultAccessLogText } from "../base/access-log-format.ts";
import { formatProblem, formatProblems } from "../base/format-operators.ts";
import type { LogFormat } from "../ir/telemetry.ts";
import type { MeshConfig } from "./mesh-config.ts";

/**
 * `accessLogEncoding` and `accessLogFormat` of the mesh. A format that is no JSON object must not cost the proxy its
 * listeners: the default is written instead.
 */
export function meshLogFormat(config: Pick<MeshConfig, "accessLogEncoding" | "accessLogFormat">): LogFormat {
  const { accessLogEncoding, accessLogFormat } = config;
  if (accessLogEncoding === "TEXT") return { text: logLine(accessLogFormat) };
  return { json: parsed(accessLogFormat) ?? defaultAccessLogJson() };
}

/** A format without a line end gets one; none, or one that Envoy would refuse, is the default. */
export function logLine(given: string): string {
  const text = given === "" || formatProblem(given) !== undefined ? defaultAccessLogText() : given;
  return text.endsWith("\n") ? text : `${text}\n`;
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = value !== null && typeof value === "object" && !Array.isArray(value);
    return isObject && formatProblems(value).length === 0 ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
