import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";

/** A request as an application got it. */
export interface Received {
  readonly who: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Over TLS: the server name asked for, and the client's certificate's subject ("" without one). */
  readonly sni?: string;
  readonly client?: string;
}

/** A running application. */
export interface Backend {
  close(): void;
}

export interface BackendOptions {
  /** What it says it is. */
  readonly who: string;
  readonly host: string;
  /** Each speaks HTTP/1 (with WebSocket), HTTP/2, gRPC and plain bytes, told apart by the first ones. */
  readonly ports: readonly number[];
  /** Speaks first: greets with its name, then echoes. */
  readonly greeting: number;
  /** Speaks TLS with this certificate, asks for the client's but does not insist, and answers like the others. */
  readonly tls: { readonly ports: readonly number[]; readonly certificate: string; readonly key: string };
  /** A unix socket that is answered like the ports; empty: none. */
  readonly socket?: string;
  /** How often requests with an id had their wish, shared by all applications. */
  readonly turns: Map<string, number>;
  /** Told of each request. */
  readonly onRequest: (id: string, request: Received) => void;
}

/** The header by which a request is found again, and the one that tells an application what to do. */
export const ID_HEADER = "x-case-id";
export const DO_HEADER = "x-do";

/**
 * An application of the traffic tests. HTTP is answered by a JSON object of what arrived. `x-do` asks for more, divided by `;`:
 * `status=503`, `delay=100` (ms), `header=name:value`, `who=v1` (only if it is that one), `times=2` (only so often per id).
 * Bytes are echoed behind its name.
 */
export async function startBackend(options: BackendOptions): Promise<Backend> {
  const http1 = createHttp((request, response) => void answer(options, request, response));
  // proxies keep connections for longer than Node would: one that it closes meets the next request
  http1.keepAliveTimeout = 120_000;
  http1.on("connect", (request, socket) => {
    socket.on("error", () => socket.destroy());
    socket.write(`HTTP/1.1 200 OK\r\n\r\n${options.who}:${request.url ?? ""}:`);
    socket.pipe(socket);
  });
  const secure = options.tls.ports.map(() =>
    createHttps(
      { cert: options.tls.certificate, key: options.tls.key, requestCert: true, rejectUnauthorized: false },
      (request, response) => void answer(options, request, response),
    ),
  );
  const sockets = new WebSocketServer({ server: http1 });
  sockets.on("connection", (socket) =>
    socket.on("message", (data: Buffer) => socket.send(`${options.who}:${data.toString()}`)),
  );
  const http2 = createHttp2((request, response) => void answer(options, request, response));
  const local = { host: "127.0.0.1", port: 0 };
  const inner = { http1: await listen(http1, local), http2: await listen(http2, local) };
  const open = new Set<Socket>();
  const track = (socket: Socket): void => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const outer = options.ports.map(() =>
    createServer((socket) => {
      track(socket);
      socket.once("data", (first: Buffer) => pass(options, inner, socket, first));
    }),
  );
  const greeter = createServer((socket) => {
    track(socket);
    socket.write(`hello from ${options.who}\n`);
    socket.pipe(socket);
  });
  const pipe = createServer((socket) => {
    track(socket);
    socket.once("data", (first: Buffer) => pass(options, inner, socket, first));
  });
  if ((options.socket ?? "") !== "") pipe.listen(options.socket);
  const servers = [...outer, greeter, ...secure, pipe];
  await Promise.all(
    [...options.ports, options.greeting, ...options.tls.ports].map((port, index) =>
      listen(servers[index] as Server, { host: options.host, port }),
    ),
  );
  return {
    close() {
      for (const socket of open) socket.destroy();
      sockets.close();
      for (const server of [...servers, http1, http2]) server.close();
    },
  };
}

function pass(
  { who }: BackendOptions,
  inner: { readonly http1: number; readonly http2: number },
  socket: Socket,
  first: Buffer,
): void {
  const text = first.toString("latin1");
  const port = text.startsWith("PRI * HTTP/2.0") ? inner.http2 : /^[A-Z]+ \S+ HTTP\/1/.test(text) ? inner.http1 : 0;
  if (port === 0) {
    socket.write(`${who}:${text}`);
    socket.pipe(socket);
    return;
  }
  const other = connect(port, "127.0.0.1");
  other.on("error", () => socket.destroy());
  other.write(first);
  socket.pipe(other);
  other.pipe(socket);
}

async function answer(
  { who, turns, onRequest }: BackendOptions,
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): Promise<void> {
  response.on("error", () => undefined);
  if (request.url?.startsWith(STREAM_PATH) === true) return stream(request, response);
  const received = await receive(who, request);
  const { headers } = received;
  const id = headers[ID_HEADER] ?? "";
  onRequest(id, received);
  const wish = wishOf(headers[DO_HEADER] ?? "", who);
  const turn = (turns.get(id) ?? 0) + 1;
  if (wish.applies) turns.set(id, turn);
  const { delay, status, headers: extra } = wish.applies && turn <= wish.times ? wish : NO_WISH;
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
  for (const [name, value] of extra) response.setHeader(name, value);
  if (isGrpc(headers)) return answerGrpc(response as Http2ServerResponse, status, JSON.stringify(received));
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(received));
}

/** What comes in goes out at once, and how many bytes it was stands in the trailers. */
const STREAM_PATH = "/stream";

function stream(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void {
  let bytes = 0;
  request.on("error", () => undefined);
  request.on("data", (chunk: Buffer) => (bytes += chunk.length));
  request.on("end", () => {
    response.addTrailers({ "grpc-status": "0", "x-bytes": String(bytes) });
    response.end();
  });
  response.setHeader("content-type", request.headers["content-type"] ?? "application/octet-stream");
  request.pipe(response as ServerResponse, { end: false });
}

async function receive(who: string, request: IncomingMessage | Http2ServerRequest): Promise<Received> {
  const chunks: Buffer[] = [];
  request.on("error", () => undefined);
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, [value ?? ""].flat().join(",")]),
  );
  const body = Buffer.concat(chunks);
  return {
    who,
    method: request.method ?? "",
    path: request.url ?? "",
    host: headers[":authority"] ?? headers["host"] ?? "",
    protocol: request.httpVersion,
    headers,
    ...tlsFacts(request.socket),
    body: body.subarray(isGrpc(headers) ? FRAME : 0).toString(),
  };
}

/** Bytes before a message of gRPC. */
const FRAME = 5;

function isGrpc(headers: Received["headers"]): boolean {
  return (headers["content-type"] ?? "").startsWith("application/grpc");
}

function tlsFacts(socket: unknown): Pick<Received, "sni" | "client"> {
  if (!(socket instanceof TLSSocket)) return {};
  const { subject } = socket.getPeerCertificate() as { readonly subject?: unknown };
  return {
    sni: typeof socket.servername === "string" ? socket.servername : "",
    client: subject === undefined ? "" : JSON.stringify(subject),
  };
}

/** One message, then the status in the trailers; an error is a status alone, as Envoy wants it to try again. */
function answerGrpc(response: Http2ServerResponse, status: number, text: string): void {
  response.setHeader("content-type", "application/grpc");
  if (status !== 200) {
    response.setHeader("grpc-status", "14");
    response.end();
    return;
  }
  const payload = Buffer.from(text);
  const frame = Buffer.alloc(FRAME);
  frame.writeUInt32BE(payload.length, 1);
  response.write(Buffer.concat([frame, payload]));
  response.addTrailers({ "grpc-status": "0" });
  response.end();
}

interface Wish {
  readonly applies: boolean;
  readonly status: number;
  readonly delay: number;
  readonly times: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

const NO_WISH: Pick<Wish, "status" | "delay" | "headers"> = { status: 200, delay: 0, headers: [] };

function wishOf(text: string, who: string): Wish {
  const parts = text.split(";").filter((part) => part !== "");
  const pairs = parts.map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)] as const);
  const one = (name: string): string | undefined => pairs.find(([key]) => key === name)?.[1];
  const headers = pairs
    .filter(([key]) => key === "header")
    .map(([, pair]) => [pair.slice(0, pair.indexOf(":")), pair.slice(pair.indexOf(":") + 1)] as const);
  return {
    applies: parts.length > 0 && (one("who") ?? who) === who,
    status: Number(one("status") ?? 200),
    delay: Number(one("delay") ?? 0),
    times: Number(one("times") ?? Number.POSITIVE_INFINITY),
    headers,
  };
}

async function listen(
  server: Pick<Server, "listen" | "address" | "on">,
  at: { readonly host: string; readonly port: number },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject);
    server.listen(at.port, at.host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
