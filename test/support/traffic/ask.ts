import { request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { explicitPort } from "../../../src/base/explicit-port.ts";
import type { CaseRequest } from "./case.ts";
import { HTTP3_HEADERS } from "./http3.ts";

/** Where a request goes, and the names it carries. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** A unix socket instead of host and port. */
  readonly socketPath?: string;
  readonly authority: string;
  /** TLS of the client's own; absent: none. */
  readonly tls?: ConnectionOptions;
}

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly trailers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Names in the server's certificate, where the client spoke TLS. */
  readonly serverName?: string;
}

const TIMEOUT_MS = 15_000;

/** Sends one request of a case. Rejects when the connection is refused or ends without an answer. */
export function ask(target: Target, request: CaseRequest, headers: Readonly<Record<string, string>>): Promise<Answer> {
  switch (request.protocol ?? "http1") {
    case "http1":
      return http1(target, request, headers);
    case "http3":
      return http3(target, request, headers);
    case "http2":
      return http2(target, request, headers, Buffer.from(request.send ?? ""));
    case "grpc":
      return grpc(target, request, headers);
    case "websocket":
      return webSocket(target, request, headers);
    case "tcp":
      return bytes(connect(target.port, target.host), request);
    case "tls":
      return bytes(
        connectTls({
          host: target.host,
          port: target.port,
          servername: request.sni ?? target.authority,
          rejectUnauthorized: false,
          ...target.tls,
        }),
        request,
      );
  }
}

function http1(
  { host, port, socketPath, authority, tls }: Target,
  { method = "GET", path = "/", send = "" }: CaseRequest,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const place = socketPath === undefined ? { host, port } : { socketPath };
    const common = { ...place, method, path, agent: false as const, timeout: TIMEOUT_MS, ...tls };
    const start = tls === undefined ? httpRequest : httpsRequest;
    const sent = start({ ...common, headers: { ...headers, host: authority } }, (response) => {
      const chunks: Buffer[] = [];
      const shown = serverNames(response.socket);
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: flat(response.headers),
          trailers: flat(response.trailers),
          body: Buffer.concat(chunks).toString(),
          ...shown,
        }),
      );
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    sent.on("error", reject);
    sent.end(send);
  });
}

/** Through the client that speaks it. */
async function http3(target: Target, request: CaseRequest, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { port = 80, sni = target.authority } = request;
  const meant = { [HTTP3_HEADERS.port]: String(explicitPort(port)), [HTTP3_HEADERS.sni]: sni };
  const answer = await http1(target, request, { ...headers, ...meant });
  const flags = answer.headers[HTTP3_HEADERS.flags];
  if (flags !== "-") throw new Error(`no answer by HTTP/3: ${flags ?? ""} ${answer.body}`);
  return answer;
}

function http2(
  { host, port, authority, tls }: Target,
  { method = "GET", path = "/" }: CaseRequest,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(`http${tls === undefined ? "" : "s"}://${host}:${port}`, tls);
    session.on("error", reject);
    const stream = session.request(
      { ...headers, ":method": method, ":path": path, ":authority": authority },
      { endStream: body.length === 0 },
    );
    const chunks: Buffer[] = [];
    let got: Readonly<Record<string, string>> = {};
    let trailers: Readonly<Record<string, string>> = {};
    stream.setTimeout(TIMEOUT_MS, () => stream.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    stream.on("response", (response) => (got = flat(response)));
    stream.on("trailers", (last: Readonly<Record<string, unknown>>) => (trailers = flat(last)));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      resolve({ status: Number(got[":status"] ?? 0), headers: got, trailers, body, ...serverNames(session.socket) });
      session.close();
    });
    if (body.length > 0) stream.end(body);
  });
}

/** A unary call: one message each way, its text the body; an answer without trailers has its status in the headers. */
async function grpc(target: Target, request: CaseRequest, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const payload = Buffer.from(request.send ?? "");
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(payload.length, 1);
  const asked = { ...headers, "content-type": "application/grpc", te: "trailers" };
  const call = { ...request, method: "POST", path: request.path ?? "/test.Echo/Say" };
  const answer = await http2(target, call, asked, Buffer.concat([frame, payload]));
  const trailers = answer.trailers["grpc-status"] === undefined ? answer.headers : answer.trailers;
  return { ...answer, trailers, body: answer.body.slice(5) };
}

function webSocket(
  { host, port, authority, tls }: Target,
  { path = "/", send = "" }: CaseRequest,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws${tls === undefined ? "" : "s"}://${host}:${port}${path}`, {
      ...tls,
      headers: { ...headers, host: authority },
      handshakeTimeout: TIMEOUT_MS,
    });
    socket.on("error", reject);
    socket.on("unexpected-response", (_, response) => {
      resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), trailers: {}, body: "" });
    });
    socket.on("open", () => socket.send(send));
    socket.on("message", (data: Buffer) => {
      socket.close();
      resolve({ status: 101, headers: {}, trailers: {}, body: data.toString() });
    });
  });
}

function serverNames(socket: unknown): Pick<Answer, "serverName"> {
  // sockets of HTTP/2 sessions are proxies of the real one: asked, not tested
  const peer = socket as Partial<TLSSocket>;
  return typeof peer.getPeerCertificate === "function" && peer.encrypted === true
    ? { serverName: peer.getPeerCertificate().subjectaltname ?? "" }
    : {};
}

/** Sends the text and resolves with what came until as much, and at least a line, was there or the other side ended. */
function bytes(socket: Socket, { send = "" }: CaseRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = "";
    const done = (): void => {
      socket.destroy();
      if (text === "") reject(new Error("the connection ended without a byte"));
      else resolve({ status: 0, headers: {}, trailers: {}, body: text });
    };
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no byte within ${TIMEOUT_MS} ms`)));
    socket.on("error", reject);
    socket.on("end", done);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.length >= Math.max(1, send.length)) done();
    });
    if (send !== "") socket.write(send);
  });
}

function flat(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : String(value)]),
  );
}
