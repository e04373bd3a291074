import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "../../../src/resources/object.ts";
import { readValues } from "../../../src/resources/yaml-values.ts";
import { samples } from "../envoy/prometheus.ts";
import { waitFor } from "../wait.ts";
import type { CaseRequest, TrafficCase, Wanted } from "./case.ts";
import { type Collector, PROVIDERS, type SeenSpan } from "./collector.ts";
import type { Lab } from "./lab.ts";
import { runRequest } from "./run.ts";
import { withWords } from "./security-objects.ts";
import { isWanted } from "./wanted.ts";

type Wants = Readonly<Record<string, unknown>>;

/** A series of a proxy's metrics that is there, or is not. */
export interface WantedMetric {
  readonly at: "client" | "v1" | "gateway";
  readonly name: string;
  readonly labels: Readonly<Record<string, Wanted>>;
  /** No series has these labels. */
  readonly none?: true;
  /** Sum of the series that have these labels. */
  readonly value?: number;
}

/** A state of the mesh's Telemetry, traffic, and what is told of it. */
export interface TelemetryStep {
  readonly it: string;
  /** All Telemetries (and what else stands in it) of this step. */
  readonly objects?: readonly KubeObject[];
  /** More of the mesh configuration. */
  readonly mesh?: Readonly<Record<string, unknown>>;
  readonly request: Omit<CaseRequest, "it" | "expect"> & Partial<Pick<CaseRequest, "expect">>;
  /** Each is among the spans of the traffic; `parent`: the span with this service and kind, or "none". */
  readonly spans?: readonly Wants[];
  readonly logs?: readonly Wants[];
  /** Nothing that is among the spans or the logs. */
  readonly none?: readonly Wants[];
  readonly metrics?: readonly WantedMetric[];
  /** Lines of a proxy's output, as regular expressions, or (`none`) no such line; `$TRY` in all of a step is new in each try. */
  readonly lines?: readonly { readonly at: WantedMetric["at"]; readonly like: string; readonly none?: true }[];
  /** Nobody answers by gRPC meanwhile. */
  readonly away?: true;
}

export interface TelemetryStory {
  readonly name: string;
  readonly steps: readonly TelemetryStep[];
}

/** All stories of a folder, by glob; TRAFFIC=text in the environment picks those whose name has it. */
export function readStories(folder: string, only = process.env["TRAFFIC"] ?? ""): readonly TelemetryStory[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml") && file.includes(only))
    .toSorted()
    .map((file) => {
      const [story] = readValues(readFileSync(join(folder, file), "utf8"));
      return { name: file.replace(/\.yaml$/, ""), steps: (story as Pick<TelemetryStory, "steps">).steps };
    });
}

/** What a step's traffic is told of, where it has come to be; what is not as expected, else. */
export async function runStep(
  lab: Lab,
  collector: Collector,
  { item, step }: { readonly item: TrafficCase; readonly step: TelemetryStep },
): Promise<readonly string[]> {
  let problems: readonly string[] = [];
  let tries = 0;
  const isFine = async (): Promise<boolean> => {
    tries += 1;
    problems = await attempt(lab, collector, { item, step: withWords(step, { TRY: String(tries) }) });
    return problems.length === 0;
  };
  if (step.away === true) await collector.away();
  await waitFor(isFine, { what: step.it, timeoutMs: 12_000 }).catch(() => undefined);
  if (step.away === true) await collector.back();
  return problems;
}

/** Enough requests that what is collected in bulk is sent at once. */
const TIMES = 10;

async function attempt(
  lab: Lab,
  collector: Collector,
  { item, step }: { readonly item: TrafficCase; readonly step: TelemetryStep },
): Promise<readonly string[]> {
  await collector.forget();
  const request = { it: step.it, times: TIMES, expect: {}, ...step.request };
  const answered = await runRequest(lab, item, request);
  if (answered.length > 0) return answered;
  let problems: readonly string[] = [];
  const isTold = async (): Promise<boolean> => {
    problems = await untold(lab, collector, step);
    return problems.length === 0;
  };
  const isNegative = [step.spans, step.logs, step.metrics, step.lines].every((wants) => wants === undefined);
  await waitFor(isTold, { what: step.it, timeoutMs: isNegative ? 0 : 2_500 }).catch(() => undefined);
  if (problems.length > 0 || step.none === undefined) return problems;
  // what must not come has had as long as anything that comes
  const until = Date.now() + 1_200;
  await waitFor(() => Date.now() > until, { what: "a moment" });
  return untold(lab, collector, step);
}

async function untold(lab: Lab, collector: Collector, step: TelemetryStep): Promise<readonly string[]> {
  const { spans, logs } = await collector.seen();
  const missing = (wants: readonly Wants[], seen: readonly object[], isIt: typeof isSpan): readonly string[] =>
    wants.flatMap((want) =>
      seen.some((one) => isIt(one, want, spans))
        ? []
        : [`nothing like ${JSON.stringify(want)} among ${JSON.stringify(nearest(seen, want).slice(0, 3))}`],
    );
  const metrics = await Promise.all((step.metrics ?? []).map((want) => metricProblem(lab, want)));
  return [
    ...missing(step.spans ?? [], spans, isSpan),
    ...missing(step.logs ?? [], logs, isLike),
    ...(step.none ?? []).flatMap((want) => {
      const found = [...spans, ...logs].find((one) => isSpan(one, want, spans));
      return found === undefined ? [] : [`something like ${JSON.stringify(want)}: ${JSON.stringify(found)}`];
    }),
    ...metrics.flat(),
    ...(step.lines ?? []).flatMap(({ at, like, none }) => {
      const found = lab.proxies[at]
        .log()
        .split("\n")
        .some((line) => new RegExp(like).test(line));
      return found === (none !== true) ? [] : [`${at}: ${none === true ? "a" : "no"} line like ${like}`];
    }),
  ];
}

/** Those of the same service, when there are any. */
function nearest(seen: readonly object[], { service }: Wants): readonly object[] {
  const same = seen.filter((one) => service !== undefined && isWanted(serviceOf(one as SeenSpan), service as Wanted));
  return same.length === 0 ? seen : same;
}

/** Whether a span is as wanted, its parent too. */
function isSpan(one: object, { parent, service, ...rest }: Wants, all: readonly SeenSpan[]): boolean {
  const span = one as SeenSpan;
  if (service !== undefined && !isWanted(serviceOf(span), service as Wanted)) return false;
  if (!isLike(one, rest)) return false;
  if (parent === undefined) return true;
  if (parent === "none") return span.parentId === "";
  return all.some(
    (other) => other.spanId === span.parentId && other.traceId === span.traceId && isSpan(other, parent as Wants, []),
  );
}

function serviceOf({ resource }: SeenSpan): string | undefined {
  return resource?.["service.name"] ?? resource?.service;
}

/** Whether every member that is wanted is so: texts by `/pattern/`, objects member by member, null absent. */
function isLike(one: object, wants: Wants): boolean {
  return Object.entries(wants).every(([key, want]) => {
    const value = (one as Wants)[key];
    if (Array.isArray(want)) return isDeepStrictEqual(value, want);
    if (typeof want === "object" && want !== null) return isLike((value ?? {}) as object, want as Wants);
    return isWanted(value as string | number | undefined, want as Wanted);
  });
}

async function metricProblem(lab: Lab, { at, name, labels, none, value }: WantedMetric): Promise<readonly string[]> {
  const found = await samples(lab.proxies[at], name);
  const hits = found.filter((sample) =>
    Object.entries(labels).every(([label, want]) => isWanted(sample.labels[label], want)),
  );
  const hit = hits.length > 0;
  const sum = hits.reduce((total, sample) => total + sample.value, 0);
  if (hit && value !== undefined && sum !== value)
    return [`${at}: ${name} with ${JSON.stringify(labels)} counts ${sum}, not ${value}`];
  if (hit !== (none === true)) return [];
  const shown = found.slice(-3).map((sample) => JSON.stringify(sample.labels));
  return [`${at}: ${none === true ? "a" : "no"} series of ${name} with ${JSON.stringify(labels)}: ${shown.join(" ")}`];
}

/** The mesh configuration of a step. */
export function meshOf(mesh: TelemetryStep["mesh"]): KubeObject {
  const text = JSON.stringify({ extensionProviders: PROVIDERS, ...mesh });
  const metadata = { namespace: "istio-system", name: "istio" };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { mesh: text } } as unknown as KubeObject;
}
