// Collectors of spans and access logs as a program of its own. Forked: tells its ports, then answers { id, op, claims } in turn.
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import protobuf from "protobufjs";

/** What is looked at of the messages; the rest is passed over. */
const { root } = protobuf.parse(`
syntax = "proto3";
message AnyValue { oneof value { string text = 1; bool flag = 2; int64 number = 3; double real = 4; } }
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Traces { repeated ResourceSpans resources = 1; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scopes = 2; }
message ScopeSpans { repeated Span spans = 2; }
message Span { bytes traceId = 1; bytes spanId = 2; bytes parentId = 4; string name = 5; int32 kind = 6; repeated KeyValue attributes = 9; }
message Logs { repeated ResourceLogs resources = 1; }
message ResourceLogs { Resource resource = 1; repeated ScopeLogs scopes = 2; }
message ScopeLogs { repeated LogRecord records = 2; }
message LogRecord { AnyValue body = 5; repeated KeyValue attributes = 6; }
message Segment { string traceId = 1; string segmentId = 2; repeated SegmentSpan spans = 3; string service = 4; string instance = 5; }
message SegmentSpan { int32 spanId = 1; int32 parentId = 2; string name = 6; repeated Pair tags = 12; }
message Pair { string key = 1; string value = 2; }
message Records { Identifier identifier = 1; HttpRecords http = 2; TcpRecords tcp = 3; }
message Identifier { Node node = 1; string logName = 2; }
message Node { string id = 1; }
message HttpRecords { repeated HttpRecord entries = 1; }
message TcpRecords { repeated TcpRecord entries = 1; }
message Common { string cluster = 15; map<string, Packed> states = 21; }
message Packed { string url = 1; bytes value = 2; }
message Number { uint32 value = 1; }
message HttpRecord { Common common = 1; Request request = 3; Response response = 4; }
message TcpRecord { Common common = 1; Bytes bytes = 2; }
message Bytes { uint64 received = 1; uint64 sent = 2; }
message Request { string authority = 3; string path = 5; map<string, string> headers = 13; }
message Metrics { repeated Family families = 2; }
message Family { string name = 1; }
message Response { Number code = 1; map<string, string> headers = 4; map<string, string> trailers = 5; }
`);
const reader = (name) => (bytes) =>
  root.lookupType(name).toObject(root.lookupType(name).decode(bytes), { longs: Number });

const spans = [];
const logs = [];
const hex = (bytes) => Buffer.from(bytes ?? []).toString("hex");
const valueOf = ({ text, flag, number, real } = {}) => text ?? flag ?? number ?? real ?? "";
const tagsOf = (attributes = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, String(valueOf(value))]));
const KINDS = ["", "internal", "server", "client"];

function takeTraces(collector, bytes, headers) {
  for (const { resource, scopes = [] } of reader("Traces")(bytes).resources ?? [])
    for (const span of scopes.flatMap(({ spans: found = [] }) => found))
      spans.push({
        collector,
        headers,
        resource: tagsOf(resource?.attributes),
        name: span.name,
        kind: KINDS[span.kind ?? 0],
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentId: hex(span.parentId),
        tags: tagsOf(span.attributes),
      });
}

const takers = {
  "/opentelemetry.proto.collector.trace.v1.TraceService/Export": (bytes, headers) => takeTraces("otlp", bytes, headers),
  "/opentelemetry.proto.collector.logs.v1.LogsService/Export": (bytes) => {
    for (const { scopes = [] } of reader("Logs")(bytes).resources ?? [])
      for (const { body, attributes } of scopes.flatMap(({ records = [] }) => records))
        logs.push({ collector: "otel", body: String(valueOf(body)), tags: tagsOf(attributes) });
  },
};

const statesOf = (common) => Object.keys(common?.states ?? {}).toSorted();

function httpRecord(name, { common, request = {}, response = {} }) {
  const headers = { ...request.headers, ...response.headers, ...response.trailers };
  const { path = "" } = request;
  return { collector: "http-als", name, path, code: response.code?.value ?? 0, headers, states: statesOf(common) };
}

function tcpRecord(name, { common, bytes = {} }) {
  const { cluster = "" } = common ?? {};
  return { collector: "tcp-als", name, cluster, received: bytes.received ?? 0, states: statesOf(common) };
}

/** Each stream names its log once. */
function takeRecords(stream) {
  let name = "";
  stream.on("data", ({ identifier, http, tcp }) => {
    name = identifier?.logName ?? name;
    for (const entry of http?.entries ?? []) logs.push(httpRecord(name, entry));
    for (const entry of tcp?.entries ?? []) logs.push(tcpRecord(name, entry));
  });
  stream.on("end", () => stream.end?.());
  stream.on("error", () => undefined);
}

/** Names of the statistics that proxies told of themselves. */
const statistics = { service: new Set(), statsd: new Set() };

function takeStatistics(stream) {
  stream.on("data", ({ families = [] }) => families.forEach(({ name }) => statistics.service.add(name)));
  stream.on("end", () => stream.end?.());
  stream.on("error", () => undefined);
}

const statsd = createSocket("udp4");
statsd.on("message", (lines) => {
  for (const line of lines.toString().split("\n")) statistics.statsd.add(line.replace(/:[^:]*$/, ""));
});
await new Promise((resolve) => statsd.bind(0, "127.0.0.1", resolve));

function takeSegments(stream, done) {
  stream.on("data", ({ traceId, service, instance, spans: found = [] }) => {
    for (const span of found)
      spans.push({
        collector: "skywalking",
        traceId,
        name: span.name,
        resource: { service, instance },
        tags: Object.fromEntries((span.tags ?? []).map(({ key, value }) => [key, value])),
      });
  });
  stream.on("end", () => done(null, {}));
  stream.on("error", () => undefined);
}

const method = (path, read, streams) => ({
  path,
  requestStream: streams !== undefined,
  responseStream: streams === "both",
  requestDeserialize: read,
  requestSerialize: (value) => value,
  responseSerialize: () => Buffer.alloc(0),
  responseDeserialize: () => ({}),
});

async function startGrpc(port) {
  const server = new Server();
  for (const [path, take] of Object.entries(takers))
    server.addService(
      { export: method(path, (bytes) => bytes) },
      {
        export(call, done) {
          take(call.request, call.metadata.getMap());
          done(null, {});
        },
      },
    );
  server.addService(
    { records: method("/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs", reader("Records"), "in") },
    { records: (stream) => takeRecords(stream) },
  );
  server.addService(
    { metrics: method("/envoy.service.metrics.v3.MetricsService/StreamMetrics", reader("Metrics"), "in") },
    { metrics: takeStatistics },
  );
  server.addService(
    { collect: method("/skywalking.v3.TraceSegmentReportService/collect", reader("Segment"), "in") },
    { collect: takeSegments },
  );
  const bound = await new Promise((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    ),
  );
  return { server, port: bound };
}

function takeHttp(url, headers, body) {
  if (url === "/v1/traces") return takeTraces("otlp-http", body, headers);
  if (url === "/api/v2/spans")
    for (const { name, kind = "", traceId, id, parentId = "", localEndpoint, tags } of JSON.parse(body.toString()))
      spans.push({
        collector: "zipkin",
        headers,
        name,
        kind: kind.toLowerCase(),
        traceId,
        spanId: id,
        parentId,
        resource: { service: localEndpoint?.serviceName ?? "" },
        tags: tags ?? {},
      });
  else if (url.endsWith("/traces"))
    spans.push({ collector: "datadog", text: body.toString("latin1"), resource: {}, tags: {} });
}

const http = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    takeHttp(request.url, request.headers, Buffer.concat(parts));
    response.setHeader("content-type", "application/json");
    response.end("{}");
  });
});
await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
let grpc = await startGrpc(0);

const answers = {
  seen: () => ({ spans, logs }),
  statistics: () => ({ service: [...statistics.service], statsd: [...statistics.statsd] }),
  forget: () => {
    spans.length = 0;
    logs.length = 0;
    return {};
  },
  away: () => {
    grpc.server.forceShutdown();
    return {};
  },
  back: async () => {
    grpc = await startGrpc(grpc.port);
    return {};
  },
};

process.on("message", ({ id, op, claims }) => {
  void Promise.resolve(answers[op](claims)).then((answer) => process.send({ id, answer }));
});
process.on("disconnect", () => process.exit());
process.send({ grpc: grpc.port, http: http.address().port, statsd: statsd.address().port });
