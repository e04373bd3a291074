import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import { isResponseTo, type Query, RCODE, rcodeOf, withId } from "./message.ts";

export type Transport = "udp" | "tcp";

export interface UpstreamOptions {
  /** Name servers with their ports; queries go to a random one first. */
  readonly servers: readonly { readonly address: string; readonly port: number }[];
  /** Milliseconds until all are given up. */
  readonly timeout: number;
  /** Ask all at once, instead of the next one when one is slow or fails. `DNS_FORWARD_PARALLEL`. */
  readonly parallel: boolean;
}

/** Milliseconds that a server may be silent before the next one is asked too. */
const HEAD_START = 1_000;
/** Queries on their way to upstream; more are refused, so that a dead resolver does not take all sockets. */
const MAX_PENDING = 1_000;

/**
 * Asks the host's resolvers over the transport that the client used; undefined when none answers in time. Each query goes
 * out with an id and from a port of its own, so that answers cannot be guessed, and is otherwise the client's, byte by byte.
 */
export function createUpstream(
  options: UpstreamOptions,
): (query: Query, via: Transport) => Promise<Buffer | undefined> {
  let pending = 0;
  return async (query, via) => {
    if (pending >= MAX_PENDING || options.servers.length === 0) return undefined;
    pending += 1;
    try {
      return await race(options, query, via);
    } finally {
      pending -= 1;
    }
  };
}

/** The first good answer; a server's failure is kept for the case that no other has better. */
function race(options: UpstreamOptions, query: Query, via: Transport): Promise<Buffer | undefined> {
  const ask = via === "udp" ? askUdp : askTcp;
  const servers = rotated(options.servers);
  const abort = new AbortController();
  return new Promise((resolve) => {
    let next = 0;
    let open = 0;
    let headStart: NodeJS.Timeout | undefined;
    let failure: Buffer | undefined;
    const end = (answer: Buffer | undefined): void => {
      clearTimeout(headStart);
      clearTimeout(deadline);
      abort.abort();
      resolve(answer === undefined ? undefined : withId(answer, query.id));
    };
    const deadline = setTimeout(() => end(failure), options.timeout);
    const start = (): void => {
      clearTimeout(headStart);
      const server = servers[next];
      if (server === undefined) {
        if (open === 0) end(failure);
        return;
      }
      next += 1;
      open += 1;
      void ask(query, server, abort.signal).then((answer) => {
        if (abort.signal.aborted) return;
        open -= 1;
        if (answer !== undefined && rcodeOf(answer) !== RCODE.failed) {
          end(answer);
          return;
        }
        failure ??= answer;
        start();
      });
      if (options.parallel) start();
      else if (next < servers.length) headStart = setTimeout(start, HEAD_START);
    };
    start();
  });
}

type Server = UpstreamOptions["servers"][number];

/** Resolves with undefined when the server cannot be asked, or the work is given up. */
function askUdp(query: Query, { address, port }: Server, signal: AbortSignal): Promise<Buffer | undefined> {
  const id = randomInt(0x10000);
  return new Promise((resolve) => {
    const socket = createSocket(isIP(address) === 6 ? "udp6" : "udp4");
    const end = (answer?: Buffer): void => {
      signal.removeEventListener("abort", onAbort);
      socket.removeAllListeners("message").close();
      resolve(answer);
    };
    const onAbort = (): void => end();
    signal.addEventListener("abort", onAbort);
    socket.once("error", () => end());
    socket.on("message", (message) => {
      if (isResponseTo(query, id, message)) end(message);
    });
    // Connected: the kernel passes nothing on that another address sends, and tells of a closed port.
    socket.connect(port, address, () => {
      if (!signal.aborted) socket.send(withId(query.bytes, id));
    });
  });
}

function askTcp(query: Query, { address, port }: Server, signal: AbortSignal): Promise<Buffer | undefined> {
  const id = randomInt(0x10000);
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let received = Buffer.alloc(0);
    const end = (answer?: Buffer): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(answer);
    };
    const onAbort = (): void => end();
    signal.addEventListener("abort", onAbort);
    socket.once("connect", () => socket.write(framed(withId(query.bytes, id))));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      const [message] = unframed(received).messages;
      if (message !== undefined) end(isResponseTo(query, id, message) ? message : undefined);
    });
    socket.once("error", () => end());
    socket.once("close", () => end());
  });
}

/** A message as TCP carries it: its length in front. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/** The whole messages at the start of a TCP stream's bytes, and what is left. */
export function unframed(bytes: Buffer): { readonly messages: readonly Buffer[]; readonly rest: Buffer } {
  const messages: Buffer[] = [];
  let rest = bytes;
  while (rest.length >= 2) {
    const end = 2 + rest.readUInt16BE(0);
    if (rest.length < end) break;
    messages.push(rest.subarray(2, end));
    rest = rest.subarray(end);
  }
  return { messages, rest };
}

function rotated<T>(items: readonly T[]): readonly T[] {
  const from = items.length > 1 ? randomInt(items.length) : 0;
  return [...items.slice(from), ...items.slice(0, from)];
}
