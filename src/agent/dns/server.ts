import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, isIP, type Socket } from "node:net";
import { EnvironmentError } from "../../base/errors.ts";
import { framed, type Transport, unframed } from "./upstream.ts";

export interface DnsServer {
  /** Listens on each address, UDP and TCP. Throws EnvironmentError for a port that is taken. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Answers a message; undefined: nothing is sent. Never rejects. */
export type Answerer = (message: Buffer, via: Transport) => Promise<Buffer | undefined>;

/** Milliseconds that a TCP client may be silent. */
const IDLE = 10_000;
const MAX_CLIENTS = 256;

/** A DNS server's sockets. An address of a family that the host has not is passed over. */
export function createDnsServer(addresses: readonly string[], port: number, answer: Answerer): DnsServer {
  const closers: (() => Promise<void>)[] = [];
  return {
    async start() {
      for (const address of addresses) {
        const udp = await listening(address, port, bindUdp(address, port, answer));
        if (udp === undefined) continue;
        closers.push(() => new Promise((resolve) => udp.close(resolve)));
        const tcp = await listening(address, port, bindTcp(address, port, answer));
        if (tcp !== undefined) closers.push(tcp);
      }
    },
    async close() {
      for (const close of closers.splice(0)) await close();
    },
  };
}

function bindUdp(address: string, port: number, answer: Answerer): Promise<UdpSocket> {
  const socket = createSocket(isIP(address) === 6 ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
  socket.on("message", (message, client) => {
    void answer(message, "udp").then((response) => {
      // Closed meanwhile, or a client that is gone: nobody waits for this answer.
      if (response !== undefined) socket.send(response, client.port, client.address, () => undefined);
    }, ignore);
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeListener("error", reject).on("error", ignore);
      resolve(socket);
    });
  });
}

function bindTcp(address: string, port: number, answer: Answerer): Promise<() => Promise<void>> {
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.once("close", () => clients.delete(socket));
    serve(socket, answer);
  });
  server.maxConnections = MAX_CLIENTS;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only: isIP(address) === 6 }, () => {
      server.removeListener("error", reject).on("error", ignore);
      resolve(async () => {
        const closed = new Promise<void>((done) => server.close(() => done()));
        for (const client of clients) client.destroy();
        await closed;
      });
    });
  });
}

/** Several queries may stand behind one another; answers go out as they come. */
function serve(socket: Socket, answer: Answerer): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(IDLE, () => socket.destroy());
  socket.on("error", ignore);
  socket.on("data", (chunk) => {
    const { messages, rest } = unframed(Buffer.concat([received, chunk]));
    received = Buffer.from(rest);
    for (const message of messages) {
      void answer(message, "tcp").then((response) => {
        if (response === undefined) socket.destroy();
        else if (socket.writable) socket.write(framed(response));
      }, ignore);
    }
  });
}

async function listening<T>(address: string, port: number, socket: Promise<T>): Promise<T | undefined> {
  try {
    return await socket;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRNOTAVAIL" || code === "EAFNOSUPPORT") return undefined;
    throw new EnvironmentError("agent-port", `cannot listen on ${address} port ${port} for DNS: ${code}`, {
      hint: "End the process that holds the port, or set DNS_PROXY_ADDR to another address and port.",
      cause: error,
    });
  }
}

function ignore(): void {
  // A client's trouble is no one else's.
}
