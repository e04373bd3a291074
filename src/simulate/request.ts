/** A header list in the order of the wire; names in lower case, a name may repeat. Pseudo headers (`:path` …) are not in it. */
export type Headers = readonly (readonly [name: string, value: string])[];

/** One HTTP request as a proxy's filters see it. */
export interface SimulatedRequest {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** The Host header or `:authority`, with the port when the client wrote one. */
  readonly authority: string;
  /** With the query, after the connection manager has normalized it (`normalizePath`). */
  readonly path: string;
  readonly headers: Headers;
  /** Dynamic metadata that filters before the router left, by namespace; absent: none. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A connection as a listener sees it, after its listener filters have looked into it. */
export interface SimulatedConnection {
  /** Where the client meant to go, before redirection. */
  readonly destination: Address;
  readonly source: Address;
  readonly transport: "raw_buffer" | "tls";
  /** SNI in lower case; undefined: none sent. */
  readonly serverName: string | undefined;
  /** ALPN, or what the HTTP inspector recognised (`http/1.1`, `h2c`); empty: nothing recognised. */
  readonly applicationProtocols: readonly string[];
}

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** A header's values joined by commas, for people; undefined when it is missing. */
export function headerValue(request: SimulatedRequest, name: string): string | undefined {
  const values = headerValues(request, name);
  return values.length === 0 ? undefined : values.join(",");
}

/** A header's first value; undefined when it is missing. */
export function firstValue(request: SimulatedRequest, name: string): string | undefined {
  return headerValues(request, name)[0];
}

/** A header's values in their order; Envoy 1.40 looks at each of them alone. */
export function headerValues(request: SimulatedRequest, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  const pseudo = PSEUDO_HEADERS[wanted];
  if (pseudo !== undefined) return [request[pseudo]];
  return request.headers.filter(([key]) => key === wanted).map(([, value]) => value);
}

/** Headers that live outside of the list, and where. */
export const PSEUDO_HEADERS: Readonly<Record<string, "authority" | "path" | "method" | "scheme">> = {
  ":authority": "authority",
  host: "authority",
  ":path": "path",
  ":method": "method",
  ":scheme": "scheme",
};

/** The path without query and fragment: what path conditions look at. */
export function pathOnly(path: string): string {
  const end = path.search(/[?#]/);
  return end < 0 ? path : path.slice(0, end);
}

/** Query parameters, each value as sent: Envoy decodes percent signs of neither names nor values when it matches. */
export function queryValues(path: string, name: string): readonly string[] {
  const start = path.indexOf("?");
  if (start < 0) return [];
  const query = path.slice(start + 1).split("#", 1)[0] ?? "";
  return query
    .split("&")
    .map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? ([pair, ""] as const) : ([pair.slice(0, at), pair.slice(at + 1)] as const);
    })
    .filter(([key]) => key === name)
    .map(([, value]) => value);
}
