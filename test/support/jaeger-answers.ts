/** One span of an answer of Jaeger's query API. Times in ms after the first. */
export interface GivenSpan {
  readonly id: string;
  readonly parent?: string;
  readonly service: string;
  readonly kind: "client" | "server";
  readonly operation: string;
  readonly at: number;
  readonly took: number;
  readonly tags?: Readonly<Record<string, string>>;
}

const BEGIN = Date.UTC(2026, 10, 21, 20) * 1000;

/** What `/api/traces` answers: spans in any order, processes by service, times in microseconds. */
export function jaegerTraces(traces: Readonly<Record<string, readonly GivenSpan[]>>): unknown {
  return {
    data: Object.entries(traces).map(([traceID, spans], index) => ({
      traceID,
      spans: spans.map(({ id, parent, service, kind, operation, at, took, tags = {} }) => ({
        traceID,
        spanID: id,
        operationName: operation,
        references: parent === undefined ? [] : [{ refType: "CHILD_OF", traceID, spanID: parent }],
        startTime: BEGIN + index * 1_000_000 + at * 1000,
        duration: took * 1000,
        tags: Object.entries({ "span.kind": kind, ...tags }).map(([key, value]) => ({ key, type: "string", value })),
        processID: service,
      })),
      processes: Object.fromEntries(spans.map(({ service }) => [service, { serviceName: service, tags: [] }])),
    })),
    errors: null,
  };
}

const call = (operation: string): string => `${operation}.shop.svc.cluster.local:8000/*`;

/** client calls web, which calls catalog and cart; cart is down. */
export const SHOP_TRACE: readonly GivenSpan[] = [
  {
    id: "d",
    parent: "c",
    service: "catalog.shop",
    kind: "server",
    operation: call("catalog"),
    at: 12,
    took: 4,
    tags: { "http.status_code": "200" },
  },
  {
    id: "a",
    service: "client.shop",
    kind: "client",
    operation: call("web"),
    at: 0,
    took: 40,
    tags: { "http.status_code": "503", error: "true" },
  },
  {
    id: "b",
    parent: "a",
    service: "web.shop",
    kind: "server",
    operation: call("web"),
    at: 2,
    took: 36,
    tags: { "http.status_code": "503" },
  },
  {
    id: "c",
    parent: "b",
    service: "web.shop",
    kind: "client",
    operation: call("catalog"),
    at: 10,
    took: 8,
    tags: { "http.status_code": "200" },
  },
  {
    id: "e",
    parent: "b",
    service: "web.shop",
    kind: "client",
    operation: call("cart"),
    at: 20,
    took: 16,
    tags: { "http.status_code": "503", response_flags: "URX,UF", error: "true", "guid:x-request-id": "9f0e-1" },
  },
];
