/** One span, as any collector may tell it. Times are milliseconds. */
export interface Span {
  readonly id: string;
  /** Absent: it began the trace. */
  readonly parent?: string;
  /** Who made it, e.g. `web.shop`. */
  readonly service: string;
  readonly kind: "client" | "server" | "other";
  readonly operation: string;
  /** After the trace's begin. */
  readonly startMs: number;
  readonly durationMs: number;
  /** HTTP status. */
  readonly status?: number;
  readonly method?: string;
  readonly url?: string;
  /** Envoy's response flags. */
  readonly flags: readonly string[];
  readonly error: boolean;
  readonly requestId?: string;
}

/** The spans of one trace, parents before children, siblings by time. */
export interface Trace {
  readonly traceId: string;
  /** ISO time of the first span. */
  readonly start: string;
  readonly durationMs: number;
  /** Sorted names. */
  readonly services: readonly string[];
  readonly spans: readonly TreeSpan[];
}

/** A span at its place. */
export interface TreeSpan extends Span {
  /** 0 for the first. */
  readonly depth: number;
  /** It names a parent that the trace does not have: that one was not reported, or somebody in between dropped headers. */
  readonly orphan: boolean;
}

/** Spans with absolute begins (ms since 1970), put in order. Undefined for none. */
export function traceOf(traceId: string, spans: readonly Span[]): Trace | undefined {
  if (spans.length === 0) return undefined;
  const begin = Math.min(...spans.map(({ startMs }) => startMs));
  const end = Math.max(...spans.map(({ startMs, durationMs }) => startMs + durationMs));
  return {
    traceId,
    start: new Date(begin).toISOString(),
    durationMs: rounded(end - begin),
    services: [...new Set(spans.map(({ service }) => service))].toSorted(),
    spans: inOrder(spans).map((span) => ({ ...span, startMs: rounded(span.startMs - begin) })),
  };
}

function inOrder(spans: readonly Span[]): readonly TreeSpan[] {
  const ids = new Set(spans.map(({ id }) => id));
  const isRoot = ({ parent }: Span): boolean => parent === undefined || !ids.has(parent);
  const byTime = spans.toSorted((a, b) => a.startMs - b.startMs);
  const placed = new Set<Span>();
  const below = (span: Span, depth: number): readonly TreeSpan[] => {
    // spans that name each other as parents are nobody's children
    if (placed.has(span)) return [];
    placed.add(span);
    const children = byTime.filter(({ parent, id }) => parent === span.id && id !== span.id);
    const orphan = span.parent !== undefined && !ids.has(span.parent);
    return [{ ...span, depth, orphan }, ...children.flatMap((child) => below(child, depth + 1))];
  };
  const rooted = byTime.filter(isRoot).flatMap((span) => below(span, 0));
  return [...rooted, ...byTime.filter((span) => !placed.has(span)).flatMap((span) => below(span, 0))];
}

/** Whether a span of one service stands anywhere below a span of another. */
export function leads(trace: Trace, from: string | undefined, to: string | undefined): boolean {
  const above: string[] = [];
  for (const { depth, service } of trace.spans) {
    above.length = depth;
    above.push(service);
    const isTo = to === undefined || service === to;
    if (isTo && (from === undefined || (to === undefined ? service === from : above.slice(0, -1).includes(from))))
      return true;
  }
  return false;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
