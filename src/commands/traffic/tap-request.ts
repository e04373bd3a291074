import { compact } from "../../base/compact.ts";
import { list, text } from "../proxy-config/view.ts";

/** Which requests are wanted; absent: any. */
export interface TapWish {
  readonly method?: string;
  /** How the path begins. */
  readonly path?: string;
  /** `503` or `5xx`. */
  readonly status?: string;
  /** A part of the host that is called. */
  readonly to?: string;
}

/** One request that a proxy let pass or answered; -o json prints it so. */
export interface TappedRequest {
  /** When its headers came, ISO 8601. */
  readonly time: string;
  readonly pod: string;
  readonly namespace: string;
  /** Whether it came to the pod or from it. */
  readonly direction: "inbound" | "outbound";
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  /** Absent where nothing was answered. */
  readonly status?: number;
  readonly grpcStatus?: number;
  /** From the request's headers to those of the answer. */
  readonly durationMs?: number;
  /** SPIFFE identity of the client, where it showed one. */
  readonly client?: string;
  readonly requestId?: string;
  /** Who sent it, as address:port. */
  readonly source: string;
  /** With `--headers`. Values that give access to something are left out. */
  readonly requestHeaders?: Headers;
  readonly responseHeaders?: Headers;
}

type Headers = Readonly<Record<string, string>>;

/** What is asked of Envoy's `/tap`: requests by a wish, without bodies, told one by one. */
export function tapQuestion({ method, path, status, to }: TapWish): unknown {
  const rules = [
    ...requestRule(":method", method === undefined ? undefined : { exact: method.toUpperCase() }),
    ...requestRule(":path", path === undefined ? undefined : { prefix: path }),
    ...requestRule(":authority", to === undefined ? undefined : { contains: to }),
    ...(status === undefined
      ? []
      : [
          {
            http_response_headers_match: {
              headers: [{ name: ":status", string_match: { safe_regex: { regex: status.replaceAll("x", "[0-9]") } } }],
            },
          },
        ]),
  ];
  const [only] = rules;
  return {
    config_id: "mesh",
    tap_config: {
      match_config: rules.length > 1 ? { and_match: { rules } } : (only ?? { any_match: true }),
      output_config: {
        max_buffered_rx_bytes: 0,
        max_buffered_tx_bytes: 0,
        sinks: [{ format: "JSON_BODY_AS_STRING", streaming_admin: {} }],
      },
    },
  };
}

function requestRule(name: string, match: unknown): readonly object[] {
  return match === undefined ? [] : [{ http_request_headers_match: { headers: [{ name, string_match: match }] } }];
}

/** Whose proxy told of a request. */
export interface TappedPod {
  readonly pod: string;
  readonly namespace: string;
  /** Of the pod: what comes from it, or from loopback, is its own application's. */
  readonly address: string;
}

/** A request out of what Envoy told of it (envoy.data.tap.v3.TraceWrapper as JSON). */
export function tappedRequest(
  trace: unknown,
  { pod, namespace, address }: TappedPod,
  withHeaders: boolean,
): TappedRequest {
  const request = headersOf(trace, "request", "headers");
  const response = headersOf(trace, "response", "headers");
  const trailers = headersOf(trace, "response", "trailers");
  const end = (side: string, field: string): string =>
    text(trace, "http_buffered_trace", "downstream_connection", `${side}_address`, "socket_address", field);
  const time = text(trace, "http_buffered_trace", "request", "headers_received_time");
  const remote = end("remote", "address");
  const client = clientOf(request["x-forwarded-client-cert"]);
  const isFromHere = isOwn(remote, address) && (client === undefined || end("local", "address") !== address);
  return compact({
    time,
    pod,
    namespace,
    direction: isFromHere ? ("outbound" as const) : ("inbound" as const),
    method: request[":method"] ?? "",
    authority: request[":authority"] ?? "",
    path: request[":path"] ?? "",
    status: numberOf(response[":status"]),
    grpcStatus: numberOf(trailers["grpc-status"] ?? response["grpc-status"]),
    durationMs: durationOf(time, text(trace, "http_buffered_trace", "response", "headers_received_time")),
    client,
    requestId: request["x-request-id"],
    source: `${remote}:${end("remote", "port_value")}`,
    requestHeaders: withHeaders ? tellable(request) : undefined,
    responseHeaders: withHeaders ? tellable({ ...response, ...trailers }) : undefined,
  });
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function isOwn(remote: string, address: string): boolean {
  return remote === address || remote === "127.0.0.1" || remote === "::1";
}

function headersOf(trace: unknown, ...path: readonly string[]): Headers {
  const pairs = list(trace, "http_buffered_trace", ...path).map((header) => [
    text(header, "key"),
    text(header, "value"),
  ]);
  return Object.fromEntries(pairs) as Headers;
}

/** Milliseconds to the microsecond between two times as protobuf writes them; Date knows no microseconds. */
function durationOf(from: string, to: string): number | undefined {
  const [start, end] = [micros(from), micros(to)];
  return start === undefined || end === undefined ? undefined : Number((end - start).toFixed(3));
}

function micros(time: string): number | undefined {
  const match = /^(.+:\d\d)(\.\d+)?Z$/.exec(time);
  const seconds = Date.parse(`${match?.[1] ?? ""}Z`);
  return match === null || Number.isNaN(seconds) ? undefined : seconds + Number(`0${match[2] ?? ""}`) * 1000;
}

/** The immediate client's identity: each proxy adds itself at the end of the header. */
function clientOf(header: string | undefined): string | undefined {
  const all = [...(header ?? "").matchAll(/(?:^|[;,])URI=("?)([^;,"]+)\1/g)];
  return all.at(-1)?.[2];
}

const SECRET = /^(authorization|proxy-authorization|cookie|set-cookie)$|token|secret|password|api-?key/i;

function tellable(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([key, value]) => [key, SECRET.test(key) ? "(left out)" : value]),
  );
}

/** Takes a stream of JSON objects, each ended by a line `}`, in pieces as they come; gives those that are whole. */
export function jsonPieces(): (piece: string) => readonly unknown[] {
  let rest = "";
  return (piece) => {
    rest += piece;
    const texts = rest.split(/(?<=^|\n\})\n(?=\{|$)/);
    rest = texts.pop() ?? "";
    return texts.filter((one) => one.trim() !== "").map((one) => JSON.parse(one) as unknown);
  };
}
