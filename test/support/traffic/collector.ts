import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { KubeObject } from "../../../src/resources/object.ts";
import { questions } from "./questions.ts";

type Texts = Readonly<Record<string, string>>;

/** A span as a collector got it. */
export interface SeenSpan {
  readonly collector: "otlp" | "otlp-http" | "zipkin" | "datadog" | "skywalking";
  readonly name?: string;
  readonly kind?: string;
  readonly traceId?: string;
  readonly spanId?: string;
  readonly parentId?: string;
  readonly resource: { readonly service?: string; readonly "service.name"?: string };
  readonly tags: Texts;
  /** Headers or metadata of the report. */
  readonly headers?: Texts;
  /** The report, where it is not taken apart. */
  readonly text?: string;
}

/** A record of an access log as a collector got it. */
export interface SeenLog {
  readonly collector: "otel" | "http-als" | "tcp-als";
  readonly name?: string;
  readonly body?: string;
  readonly path?: string;
  readonly code?: number;
  readonly headers?: Texts;
  readonly states?: readonly string[];
  readonly tags?: Texts;
  readonly cluster?: string;
}

/** Collectors of spans, logs and statistics, in a process of their own: gRPC (OTLP, services of access logs and of metrics, SkyWalking), HTTP (OTLP, Zipkin, Datadog) and statsd. */
export interface Collector {
  readonly grpc: number;
  readonly http: number;
  /** UDP */
  readonly statsd: number;
  seen(): Promise<{ readonly spans: readonly SeenSpan[]; readonly logs: readonly SeenLog[] }>;
  /** Names of the statistics that proxies sent so far: by Envoy's metrics service, by statsd. */
  statistics(): Promise<{ readonly service: readonly string[]; readonly statsd: readonly string[] }>;
  forget(): Promise<void>;
  /** Nobody answers by gRPC until `back`. */
  away(): Promise<void>;
  back(): Promise<void>;
  close(): void;
}

/** Starts the collectors; they end with whoever started them. */
export async function startCollector(): Promise<Collector> {
  const child = fork(fileURLToPath(new URL("collector-process.mjs", import.meta.url)), { execArgv: [] });
  const [ports] = (await once(child, "message")) as [Pick<Collector, "grpc" | "http" | "statsd">];
  const ask = questions<unknown>(child);
  const tell = async (op: string): Promise<void> => void (await ask(op));
  return {
    ...ports,
    seen: () => ask("seen") as ReturnType<Collector["seen"]>,
    statistics: () => ask("statistics") as ReturnType<Collector["statistics"]>,
    forget: () => tell("forget"),
    away: () => tell("away"),
    back: () => tell("back"),
    close: () => void child.kill(),
  };
}

const HOST = "collector.observability.example";

/** The collectors as a service of the mesh: `grpc` (4317) and `http` (9411). */
export function collectorObjects({ grpc, http }: Pick<Collector, "grpc" | "http">): readonly KubeObject[] {
  return [
    {
      apiVersion: "networking.istio.io/v1",
      kind: "ServiceEntry",
      metadata: { namespace: "observability", name: "collector" },
      spec: {
        hosts: [HOST],
        ports: [
          { number: 4317, name: "grpc", protocol: "GRPC", targetPort: grpc },
          { number: 9411, name: "http", protocol: "HTTP", targetPort: http },
        ],
        resolution: "STATIC",
        endpoints: [{ address: "127.0.0.1" }],
      },
    },
  ] as unknown as readonly KubeObject[];
}

const grpc = { service: HOST, port: 4317 };
const http = { service: `observability/${HOST}`, port: 9411 };

/** Providers of all kinds that send there. */
export const PROVIDERS: readonly Readonly<Record<string, unknown>>[] = [
  {
    name: "otlp",
    opentelemetry: {
      ...grpc,
      maxTagLength: 30,
      grpc: { timeout: "2s", initialMetadata: [{ name: "x-mesh", value: "one" }] },
    },
  },
  {
    name: "otlp-http",
    opentelemetry: {
      ...http,
      http: { path: "/v1/traces", timeout: "3s", headers: [{ name: "x-mesh", value: "two" }] },
    },
  },
  { name: "otlp-named", opentelemetry: { ...grpc, serviceAttributeEnrichment: "OTEL_SEMANTIC_CONVENTIONS" } },
  { name: "zipkin", zipkin: http },
  {
    name: "zipkin-w3c",
    zipkin: { ...http, traceContextOption: "USE_B3_WITH_W3C_PROPAGATION", enable64bitTraceId: true },
  },
  { name: "datadog", datadog: http },
  { name: "skywalking", skywalking: grpc },
  {
    name: "otel-logs",
    envoyOtelAls: { ...grpc, logFormat: { text: "%REQ(:PATH)%", labels: { code: "%RESPONSE_CODE%" } } },
  },
  { name: "http-als", envoyHttpAls: { ...grpc, logName: "calls", additionalRequestHeadersToLog: ["x-own"] } },
  { name: "tcp-als", envoyTcpAls: { ...grpc } },
  {
    name: "text",
    envoyFileAccessLog: {
      path: "/dev/stdout",
      logFormat: { text: "text-log %REQ_WITHOUT_QUERY(:PATH)% %RESPONSE_CODE%" },
    },
  },
  {
    name: "json",
    envoyFileAccessLog: {
      logFormat: { labels: { json_log: "%REQ(:PATH)%", none: "%REQ(X-NONE)%" } },
      omitEmptyValues: true,
    },
  },
];
