import { formatProblem, formatProblems } from "../base/format-operators.ts";
import type { FieldPath } from "../diagnostics/finding.ts";

type Loose = Readonly<Record<string, unknown>>;

/** What is wrong with what a mesh configuration says of logs, metrics and spans; paths are below the configuration. */
export interface TelemetryProblem {
  readonly path: FieldPath;
  readonly problem: string;
  /** It is taken, and does nothing; else it is refused. */
  readonly idle?: true;
}

/** Formats of access logs that Envoy would refuse, and providers that have no effect. */
export function meshTelemetryProblems(config: unknown): readonly TelemetryProblem[] {
  const { accessLogFormat, accessLogEncoding, extensionProviders } = fields(config);
  const providers = Array.isArray(extensionProviders) ? (extensionProviders as unknown[]) : [];
  return [
    ...(typeof accessLogFormat === "string" ? meshFormat(accessLogFormat, accessLogEncoding) : []),
    ...providers.flatMap((provider, index) =>
      ofProvider(fields(provider)).map(({ path, ...rest }) => ({
        path: ["extensionProviders", index, ...path],
        ...rest,
      })),
    ),
  ];
}

function meshFormat(format: string, encoding: unknown): readonly TelemetryProblem[] {
  const path = ["accessLogFormat"];
  if (encoding !== "JSON" || format === "") return ofText(format, path);
  try {
    const value: unknown = JSON.parse(format);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    if (!isObject) return [{ path, problem: "with accessLogEncoding JSON an object is expected" }];
    return formatProblems(value).map(({ problem, at, path: inner }) => ({
      path,
      problem: `${inner.join(".")}: ${words(problem, at)}`,
    }));
  } catch {
    return [{ path, problem: "with accessLogEncoding JSON an object in JSON is expected" }];
  }
}

function ofText(format: string, path: FieldPath): readonly TelemetryProblem[] {
  const found = formatProblem(format);
  return found === undefined ? [] : [{ path, problem: words(found.problem, found.at) }];
}

function words(problem: string, at: number): string {
  return `${problem} (at character ${at + 1})`;
}

/** Kinds of providers that do nothing here, and why. */
const IDLE: Readonly<Record<string, string>> = {
  lightstep: "Envoy has no such tracer any more: use opentelemetry",
  opencensus: "Envoy has no such tracer any more: use opentelemetry",
  stackdriver: "needs Istio's own build of Envoy: use opentelemetry and envoyOtelAls with a collector",
};

function ofProvider(provider: Loose): readonly TelemetryProblem[] {
  return Object.entries(provider).flatMap(([kind, given]) => {
    if (given === null) return [];
    const idle = Object.hasOwn(IDLE, kind) ? IDLE[kind] : undefined;
    if (idle !== undefined) return [{ path: [kind], problem: idle, idle: true } as const];
    const without = idleSettings(given, [kind]);
    if (without.length > 0) return without;
    if (kind !== "envoyFileAccessLog" && kind !== "envoyOtelAls") return [];
    const { text, labels } = fields(fields(given)["logFormat"]);
    const below = [kind, "logFormat"];
    return [
      ...(typeof text === "string" ? ofText(text, [...below, "text"]) : []),
      ...formatProblems(labels).map(({ path, problem, at }) => ({
        path: [...below, "labels", ...path],
        problem: words(problem, at),
      })),
    ];
  });
}

/** Settings of any depth that nobody reads. */
const IDLE_SETTINGS: Readonly<Record<string, string>> = {
  envName: "the control plane reads no secrets from its environment: write value",
  accessToken: "Istio does not hand it to Envoy either",
};

function idleSettings(value: unknown, path: FieldPath): readonly TelemetryProblem[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]): readonly TelemetryProblem[] => {
    const here = [...path, Array.isArray(value) ? Number(key) : key];
    const why = Object.hasOwn(IDLE_SETTINGS, key) ? IDLE_SETTINGS[key] : undefined;
    if (why !== undefined && typeof member === "string") return [{ path: here, problem: why, idle: true }];
    return idleSettings(member, here);
  });
}

function fields(value: unknown): Loose {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}
