import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import { errorText } from "../../base/errors.ts";
import { admit } from "./http.ts";
import type { Route } from "./route.ts";
import { getObject } from "./read.ts";
import type { ServerDeps } from "./server-deps.ts";
import { serveSpdy, type SpdyStream } from "./spdy.ts";
import { badRequest, noSuchPath, StatusError } from "./status.ts";
import { statusOf } from "./wire.ts";

const portForwardProtocol = "portforward.k8s.io";
const tunnelProtocol = `SPDY/3.1+${portForwardProtocol}`;
const channelProtocols = ["v4.channel.k8s.io", "v5.channel.k8s.io"];

/** Connects to a port of the pod the request is for. */
type Dial = (port: number) => Promise<Duplex>;

function refuse(socket: Duplex, error: StatusError): void {
  const body = `${JSON.stringify(error.body())}\n`;
  const head = [
    `HTTP/1.1 ${error.code} ${error.reason}`,
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}

function dialOf(deps: ServerDeps, route: Route): Dial {
  if (route.type !== "resource" || route.info.collection !== "/pods" || route.subresource !== "portforward")
    throw noSuchPath();
  const { info, namespace, name } = route;
  if (name === undefined) throw noSuchPath();
  getObject(deps.core, { info, namespace, name });
  const backend = deps.backend();
  if (backend === undefined) throw new StatusError(503, "ServiceUnavailable", "no node is running");
  return async (port) => backend.dial({ namespace: namespace ?? "", pod: name, port });
}

/** Answers an upgrade request: port-forward in the three ways its clients speak; everything else is refused. */
export async function handleUpgrade(
  deps: ServerDeps,
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  socket.on("error", () => socket.destroy());
  try {
    const { url, route } = await admit(deps, message);
    const dial = dialOf(deps, route);
    if ((message.headers.upgrade ?? "").toLowerCase() === "websocket") {
      acceptWebSocket(message, socket, { head, dial, ports: url.searchParams.getAll("ports").map(Number) });
    } else if (message.headers.upgrade === "SPDY/3.1") {
      acceptSpdy(message, socket, head, dial);
    } else throw badRequest("unable to upgrade: expected websocket or SPDY/3.1");
  } catch (error) {
    refuse(socket, statusOf(error, deps.core.log));
  }
}

function acceptSpdy(message: IncomingMessage, socket: Duplex, head: Buffer, dial: Dial): void {
  const offered = String(message.headers["x-stream-protocol-version"] ?? portForwardProtocol).split(/,\s*/);
  if (!offered.includes(portForwardProtocol))
    throw badRequest(`unable to upgrade: none of the protocols is ${portForwardProtocol}`);
  const answer = [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: SPDY/3.1",
    `X-Stream-Protocol-Version: ${portForwardProtocol}`,
  ];
  socket.write(`${answer.join("\r\n")}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  void serveSpdy(socket, createPairing(dial)).catch(() => socket.destroy());
}

function acceptWebSocket(
  message: IncomingMessage,
  socket: Duplex,
  options: { readonly head: Buffer; readonly dial: Dial; readonly ports: readonly number[] },
): void {
  const { head, dial, ports } = options;
  const offered = String(message.headers["sec-websocket-protocol"] ?? "").split(/,\s*/);
  const chosen = [tunnelProtocol, ...channelProtocols].find((protocol) => offered.includes(protocol));
  if (chosen === undefined)
    throw badRequest(`unable to upgrade: none of the protocols offered is known: ${offered.join(", ")}`);
  const badPort = ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (chosen !== tunnelProtocol && (ports.length === 0 || badPort))
    throw badRequest('query parameter "ports" is required: numbers from 1 to 65535');
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => chosen, maxPayload: 64 << 20 });
  server.handleUpgrade(message, socket, head, (webSocket) => {
    webSocket.on("error", () => webSocket.terminate());
    if (chosen === tunnelProtocol) {
      const transport = createWebSocketStream(webSocket);
      transport.on("error", () => transport.destroy());
      void serveSpdy(transport, createPairing(dial)).catch(() => transport.destroy());
    } else serveChannels(webSocket, ports, dial);
  });
}

/** kubectl opens two streams per connection, of type error and data, with one request id: joins them and connects. */
function createPairing(dial: Dial): (stream: SpdyStream) => void {
  const waiting = new Map<string, { error?: Duplex; data?: Duplex }>();
  return ({ headers, duplex }) => {
    const id = headers["requestid"] ?? "";
    const pair = waiting.get(id) ?? {};
    if (headers["streamtype"] === "error") pair.error = duplex;
    else pair.data = duplex;
    waiting.set(id, pair);
    if (pair.error === undefined || pair.data === undefined) return;
    waiting.delete(id);
    const port = Number(headers["port"]);
    void forward({ data: pair.data, error: pair.error, port }, dial);
  };
}

async function forward(
  { data, error, port }: { data: Duplex; error: Duplex; port: number },
  dial: Dial,
): Promise<void> {
  // The error stream is only ever written; what comes on it is dropped.
  error.resume();
  try {
    const target = await dial(port);
    target.on("error", (cause) => {
      error.end(`error forwarding port ${port}: ${errorText(cause)}`);
      data.destroy();
    });
    target.on("close", () => {
      data.end();
      error.end();
    });
    data.on("close", () => target.destroy());
    data.pipe(target);
    target.pipe(data);
  } catch (cause) {
    error.end(`error forwarding port ${port}: ${errorText(cause)}`);
    data.end();
  }
}

/** The plain channels of client-node: two per port, first byte the channel, first message of each the port. */
function serveChannels(webSocket: WebSocket, ports: readonly number[], dial: Dial): void {
  const targets = new Map<number, Promise<Duplex | undefined>>();
  const send = (channel: number, bytes: Uint8Array): void => {
    if (webSocket.readyState === webSocket.OPEN) webSocket.send(Buffer.concat([Buffer.from([channel]), bytes]));
  };
  ports.forEach((port, index) => {
    const number = Buffer.from([port & 0xff, port >> 8]);
    send(index * 2, number);
    send(index * 2 + 1, number);
    targets.set(index * 2, connectChannel(webSocket, { channel: index * 2, port, send }, dial));
  });
  webSocket.on("message", (message: Buffer) => {
    const target = targets.get(message[0] ?? -1);
    void target?.then((duplex) => duplex?.write(message.subarray(1)));
  });
  webSocket.on("close", () => {
    for (const target of targets.values()) void target.then((duplex) => duplex?.destroy());
  });
}

async function connectChannel(
  webSocket: WebSocket,
  { channel, port, send }: { channel: number; port: number; send: (channel: number, bytes: Uint8Array) => void },
  dial: Dial,
): Promise<Duplex | undefined> {
  try {
    const target = await dial(port);
    target.on("data", (bytes: Buffer) => send(channel, bytes));
    target.on("error", (cause) => send(channel + 1, Buffer.from(`error forwarding port ${port}: ${errorText(cause)}`)));
    target.on("close", () => webSocket.close(1000));
    return target;
  } catch (cause) {
    send(channel + 1, Buffer.from(`error forwarding port ${port}: ${errorText(cause)}`));
    webSocket.close(1000);
    return undefined;
  }
}
