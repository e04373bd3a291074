import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

type Request = IncomingMessage | Http2ServerRequest;

/** An application that speaks HTTP/1, HTTP/2 (prior knowledge) and plain bytes (echoed) on one port, told apart by the first ones. */
export interface EchoApp {
  readonly port: number;
  close(): void;
}

/** Port 0 takes a free one. The HTTP answer is a JSON object: protocol, path and headers as they arrived, the address they came from. */
export async function startEchoApp(at: { readonly host: string; readonly port: number }): Promise<EchoApp> {
  /** Who is behind a connection to the servers within, by its port. */
  const clients = new Map<number, string>();
  const answer = (request: Request, response: ServerResponse | Http2ServerResponse): void => {
    const { httpVersion: protocol, headers, socket } = request;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ protocol, path: request.url, headers, client: clients.get(socket.remotePort ?? 0) }));
  };
  const http1 = createHttp(answer);
  const http2 = createHttp2(answer);
  const local = { host: "127.0.0.1", port: 0 };
  const ports = { http1: await listen(http1, local), http2: await listen(http2, local) };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.once("data", (first: Buffer) => {
      const text = first.toString("latin1");
      const port = text.startsWith("PRI * HTTP/2.0") ? ports.http2 : /^[A-Z]+ \S+ HTTP\/1/.test(text) ? ports.http1 : 0;
      const other = port === 0 ? socket : connect(port, "127.0.0.1");
      if (other !== socket) other.on("connect", () => clients.set(other.localPort ?? 0, socket.remoteAddress ?? ""));
      other.on("error", () => socket.destroy());
      other.write(first);
      socket.pipe(other);
      if (other !== socket) other.pipe(socket);
    });
  });
  return {
    port: await listen(server, at),
    close() {
      for (const socket of sockets) socket.destroy();
      for (const one of [server, http1, http2]) one.close();
    },
  };
}

async function listen(
  server: Pick<Server, "listen" | "address">,
  at: { readonly host: string; readonly port: number },
): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(at.port, at.host, resolve);
  });
  return (server.address() as AddressInfo).port;
}
