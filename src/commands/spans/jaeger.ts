import { compact } from "../../base/compact.ts";
import { type Span, type Trace, traceOf } from "./spans.ts";

/** Asks a path of a query service: parsed JSON of the answer. */
export type Query = (path: string) => Promise<unknown>;

/** What is looked for; times in ms since 1970. */
export interface Search {
  readonly service: string;
  readonly since: number;
  readonly until: number;
  readonly limit: number;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Names of everybody who reported spans. */
export async function services(query: Query): Promise<readonly string[]> {
  const { data } = (await query("/api/services")) as { data?: readonly string[] | null };
  return data ?? [];
}

/** The newest traces with a span of a service, newest first. */
export async function search(query: Query, { service, since, until, limit, tags }: Search): Promise<readonly Trace[]> {
  const words = new URLSearchParams({
    service,
    start: String(since * 1000),
    end: String(until * 1000),
    limit: String(limit),
    ...(tags !== undefined && { tags: JSON.stringify(tags) }),
  });
  const traces = await tracesAt(query, `/api/traces?${words.toString()}`);
  return traces.toSorted((a, b) => (a.start < b.start ? 1 : -1));
}

/** One trace; undefined when the collector does not have it. */
export async function traceById(query: Query, id: string): Promise<Trace | undefined> {
  const [trace] = await tracesAt(query, `/api/traces/${encodeURIComponent(id)}`);
  return trace;
}

interface JaegerSpan {
  readonly spanID: string;
  readonly operationName: string;
  readonly references?: readonly { readonly refType: string; readonly spanID: string }[];
  /** Microseconds. */
  readonly startTime: number;
  readonly duration: number;
  readonly tags?: readonly { readonly key: string; readonly value: unknown }[];
  readonly processID: string;
}

interface JaegerTrace {
  readonly traceID: string;
  readonly spans?: readonly JaegerSpan[];
  readonly processes?: Readonly<Record<string, { readonly serviceName: string }>>;
}

async function tracesAt(query: Query, path: string): Promise<readonly Trace[]> {
  const { data } = (await query(path)) as { data?: readonly JaegerTrace[] | null };
  return (data ?? []).flatMap((trace) => {
    const spans = (trace.spans ?? []).map((span) => spanOf(span, trace.processes?.[span.processID]?.serviceName ?? ""));
    return traceOf(trace.traceID, spans) ?? [];
  });
}

function spanOf(span: JaegerSpan, service: string): Span {
  const tags = new Map((span.tags ?? []).map(({ key, value }) => [key, String(value)]));
  const status = Number(tags.get("http.status_code") ?? Number.NaN);
  return compact({
    id: span.spanID,
    parent: span.references?.find(({ refType }) => refType === "CHILD_OF")?.spanID,
    service,
    kind: kindOf(tags.get("span.kind")),
    operation: span.operationName,
    startMs: span.startTime / 1000,
    durationMs: span.duration / 1000,
    status: Number.isNaN(status) ? undefined : status,
    method: tags.get("http.method"),
    url: tags.get("http.url"),
    flags: (tags.get("response_flags") ?? "-").split(",").filter((flag) => flag !== "-" && flag !== ""),
    error: tags.get("error") === "true",
    requestId: tags.get("guid:x-request-id"),
  });
}

function kindOf(text: string | undefined): Span["kind"] {
  return text === "client" || text === "server" ? text : "other";
}
