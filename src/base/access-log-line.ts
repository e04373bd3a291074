import {
  defaultAccessLogJson,
  defaultAccessLogText,
  ENVOY_ACCESS_LOG_TEXT,
  type FormatOperator,
  formatPieces,
} from "./access-log-format.ts";

/** What one line of an access log says. What Envoy wrote as missing (`-`, null) is absent. */
export interface AccessLogRecord {
  readonly startTime?: string;
  readonly method?: string;
  readonly path?: string;
  readonly protocol?: string;
  /** 0: no answer was begun. */
  readonly status?: number;
  /** Short response flags (response-flags.ts). */
  readonly flags: readonly string[];
  readonly details?: string;
  readonly terminationDetails?: string;
  readonly transportFailure?: string;
  readonly downstreamTransportFailure?: string;
  readonly bytesReceived?: number;
  readonly bytesSent?: number;
  /** Milliseconds. */
  readonly duration?: number;
  /** Milliseconds, as the upstream told them. */
  readonly upstreamServiceTime?: number;
  readonly forwardedFor?: string;
  readonly userAgent?: string;
  readonly requestId?: string;
  readonly authority?: string;
  readonly upstreamHost?: string;
  readonly upstreamCluster?: string;
  readonly upstreamLocalAddress?: string;
  readonly localAddress?: string;
  readonly remoteAddress?: string;
  readonly serverName?: string;
  readonly routeName?: string;
  /** Identity of the caller. */
  readonly peerPrincipal?: string;
  readonly grpcStatus?: string;
  readonly traceId?: string;
  /** What has no name above, by its operator: `REQ(X-TENANT)`; fixed texts of a JSON format by their key. */
  readonly others: Readonly<Record<string, string>>;
}

/** How lines are written: a text with operators, or an object with such texts (`json_format`). */
export type AccessLogFormat = { readonly text: string } | { readonly json: Readonly<Record<string, unknown>> };

/** Reads one line; undefined when it is none of the format. */
export type AccessLogReader = (line: string) => AccessLogRecord | undefined;

/** A reader of lines in any of these formats; the first that fits is taken. */
export function accessLogReader(formats: readonly AccessLogFormat[]): AccessLogReader {
  const readers = formats.map((format) => ("text" in format ? textReader(format.text) : jsonReader(format.json)));
  return (line) => {
    for (const read of readers) {
      const values = read(line);
      if (values !== undefined) return record(values);
    }
    return undefined;
  };
}

/** Formats of lines whose proxy nobody can ask: Istio's defaults, and Envoy's. */
export const DEFAULT_ACCESS_LOG_FORMATS: readonly AccessLogFormat[] = [
  { text: defaultAccessLogText() },
  { json: defaultAccessLogJson() },
  { text: ENVOY_ACCESS_LOG_TEXT },
];

/** Which way a record's request went at its proxy; undefined when nothing in it tells. */
export function accessLogDirection({
  upstreamCluster = "",
  details,
}: AccessLogRecord): "inbound" | "outbound" | undefined {
  // a listener's own line: who came was not let in
  if (details === "filter_chain_not_found") return "inbound";
  if (/^inbound\||^InboundPassthroughCluster/.test(upstreamCluster)) return "inbound";
  if (/^outbound[|_]|^(PassthroughCluster|BlackHoleCluster)$/.test(upstreamCluster)) return "outbound";
  return undefined;
}

type Field = Exclude<keyof AccessLogRecord, "flags" | "others"> | "flags";

/** Operators, and those with a header as argument, by what they tell. */
const FIELD_OF_OPERATOR: Readonly<Record<string, Field>> = {
  START_TIME: "startTime",
  PROTOCOL: "protocol",
  RESPONSE_CODE: "status",
  RESPONSE_FLAGS: "flags",
  RESPONSE_CODE_DETAILS: "details",
  CONNECTION_TERMINATION_DETAILS: "terminationDetails",
  UPSTREAM_TRANSPORT_FAILURE_REASON: "transportFailure",
  DOWNSTREAM_TRANSPORT_FAILURE_REASON: "downstreamTransportFailure",
  BYTES_RECEIVED: "bytesReceived",
  BYTES_SENT: "bytesSent",
  DURATION: "duration",
  UPSTREAM_HOST: "upstreamHost",
  UPSTREAM_CLUSTER: "upstreamCluster",
  UPSTREAM_CLUSTER_RAW: "upstreamCluster",
  UPSTREAM_LOCAL_ADDRESS: "upstreamLocalAddress",
  DOWNSTREAM_LOCAL_ADDRESS: "localAddress",
  DOWNSTREAM_REMOTE_ADDRESS: "remoteAddress",
  REQUESTED_SERVER_NAME: "serverName",
  ROUTE_NAME: "routeName",
  DOWNSTREAM_PEER_URI_SAN: "peerPrincipal",
  GRPC_STATUS: "grpcStatus",
  TRACE_ID: "traceId",
};

const FIELD_OF_HEADER: Readonly<Record<string, Field>> = {
  ":method": "method",
  ":path": "path",
  ":authority": "authority",
  "x-forwarded-for": "forwardedFor",
  "user-agent": "userAgent",
  "x-request-id": "requestId",
};

const NUMBERS = ["status", "bytesReceived", "bytesSent", "duration", "upstreamServiceTime"] as const;
type NumberField = (typeof NUMBERS)[number];
type TextField = Exclude<Field, NumberField | "flags">;

function isNumber(field: Field): field is NumberField {
  return (NUMBERS as readonly Field[]).includes(field);
}

function fieldOf({ name, argument = "" }: FormatOperator): Field | undefined {
  const header = argument.toLowerCase();
  // of `FIRST?SECOND` the second is the usual one
  if (name === "REQ") return FIELD_OF_HEADER[header.slice(header.indexOf("?") + 1)];
  if (name === "RESP") return header === "x-envoy-upstream-service-time" ? "upstreamServiceTime" : undefined;
  return FIELD_OF_OPERATOR[name];
}

/** A value with what it is of. */
type Value = readonly [of: FormatOperator | string, text: string];

function record(values: readonly Value[]): AccessLogRecord {
  const texts: Partial<Record<TextField, string>> = {};
  const numbers: Partial<Record<NumberField, number>> = {};
  const others: Record<string, string> = {};
  let flags: readonly string[] = [];
  for (const [of, text] of values) {
    if (text === "-" || text === "") continue;
    const field = typeof of === "string" ? undefined : fieldOf(of);
    if (field === undefined) others[typeof of === "string" ? of : operatorText(of)] = text;
    else if (field === "flags") flags = text.split(",");
    else if (isNumber(field)) numbers[field] = Number(text);
    else texts[field] = text;
  }
  return { ...texts, ...numbers, flags, others };
}

function operatorText({ name, argument }: FormatOperator): string {
  return argument === undefined ? name : `${name}(${argument})`;
}

type LineReader = (line: string) => readonly Value[] | undefined;

function textReader(format: string): LineReader {
  const pieces = formatPieces(format.replace(/\n+$/, ""));
  return (line) => split(pieces, line);
}

/**
 * The line's values, by going along the pieces; where a value could end in several places (a user agent with a quote in it) the
 * first that lets the rest fit is taken. Every place is tried once for each piece: no line makes it slow.
 */
function split(pieces: readonly (string | FormatOperator)[], line: string): readonly Value[] | undefined {
  const failed = new Set<number>();
  const from = (index: number, at: number): readonly Value[] | undefined => {
    const piece = pieces[index];
    if (piece === undefined) return at === line.length ? [] : undefined;
    if (typeof piece === "string") return line.startsWith(piece, at) ? from(index + 1, at + piece.length) : undefined;
    const key = index * (line.length + 1) + at;
    if (failed.has(key)) return undefined;
    const quoted = at > 0 && line[at - 1] === '"';
    for (const end of ends(pieces[index + 1], line, at)) {
      const text = line.slice(at, end);
      if (!quoted && text.includes('"')) break;
      if (!fits(piece, text)) continue;
      const rest = from(index + 1, end);
      if (rest !== undefined) return [[piece, text], ...rest];
    }
    failed.add(key);
    return undefined;
  };
  return from(0, 0);
}

/** Where a value that begins at `at` may end: before the text that follows it. */
function* ends(next: string | FormatOperator | undefined, line: string, at: number): Generator<number> {
  if (next === undefined) yield line.length;
  else if (typeof next === "string") {
    for (let end = line.indexOf(next, at); end >= 0; end = line.indexOf(next, end + 1)) yield end;
  } else for (let end = at; end <= line.length; end += 1) yield end;
}

const SHAPES: Readonly<Partial<Record<Field, RegExp>>> = {
  protocol: /^(HTTP\/[\d.]+|-)$/,
  flags: /^([A-Za-z,]+|-)$/,
  method: /^\S+$/,
  upstreamHost: /^[^\s"]+$/,
  upstreamCluster: /^[^\s"]+$/,
  remoteAddress: /^[^\s"]+$/,
  localAddress: /^[^\s"]+$/,
};

function fits(operator: FormatOperator, text: string): boolean {
  const field = fieldOf(operator);
  if (field === undefined) return true;
  if (isNumber(field)) return /^(\d+|-)$/.test(text);
  return SHAPES[field]?.test(text) ?? true;
}

function jsonReader(format: Readonly<Record<string, unknown>>): LineReader {
  return (line) => {
    if (!line.startsWith("{")) return undefined;
    try {
      return objectValues(format, JSON.parse(line) as unknown, "");
    } catch {
      return undefined;
    }
  };
}

/** Values of an object as the format has them; undefined when it holds what the format has not. */
function objectValues(format: unknown, value: unknown, path: string): readonly Value[] | undefined {
  if (value === null || value === undefined) return [];
  if (typeof format === "string") return leafValues(format, value, path);
  if (typeof format !== "object" || format === null || typeof value !== "object") return [];
  const known = format as Readonly<Record<string, unknown>>;
  const values: Value[] = [];
  for (const [key, held] of Object.entries(value)) {
    if (!Object.hasOwn(known, key)) return undefined;
    const inner = objectValues(known[key], held, path === "" ? key : `${path}.${key}`);
    if (inner === undefined) return undefined;
    values.push(...inner);
  }
  return values;
}

function leafValues(format: string, value: unknown, path: string): readonly Value[] | undefined {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const pieces = formatPieces(format);
  return pieces.some((piece) => typeof piece !== "string") ? split(pieces, text) : [[path, text]];
}
