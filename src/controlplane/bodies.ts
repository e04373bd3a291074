import type { IncomingMessage } from "node:http";

/** A request body that cannot be taken, with the status that says so. */
export class BodyError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** In bytes. */
export interface BodyLimits {
  /** One body. */
  readonly each: number;
  /** All that is being read from one address. */
  readonly perClient: number;
  /** All that is being read. */
  readonly total: number;
}

/** An object has at most 1.5 MiB in etcd, and a review carries the old one too. */
export const BODY_LIMITS: BodyLimits = { each: 8 << 20, perClient: 32 << 20, total: 128 << 20 };

/** Reads whole bodies as text, holding no more of them at a time than the limits say. */
export interface Bodies {
  /** Throws BodyError: 413 for one that is too large, before anything is read when its length is told; 429 while too many are read. */
  read(request: IncomingMessage): Promise<string>;
}

/** Makes the reader of one server. */
export function createBodies(limits: BodyLimits = BODY_LIMITS): Bodies {
  const held = new Map<string, number>();
  let total = 0;
  const add = (client: string, bytes: number): void => {
    total += bytes;
    const now = (held.get(client) ?? 0) + bytes;
    if (now === 0) held.delete(client);
    else held.set(client, now);
  };
  return {
    async read(request) {
      const tooLarge = new BodyError(413, `expected a body of at most ${limits.each} bytes`);
      if (Number(request.headers["content-length"] ?? 0) > limits.each) throw tooLarge;
      const client = request.socket.remoteAddress ?? "";
      const chunks: Buffer[] = [];
      let size = 0;
      try {
        for await (const chunk of request) {
          const bytes = chunk as Buffer;
          size += bytes.length;
          add(client, bytes.length);
          if (size > limits.each) throw tooLarge;
          if ((held.get(client) ?? 0) > limits.perClient || total > limits.total)
            throw new BodyError(429, "too much is being read from this client already");
          chunks.push(bytes);
        }
        return Buffer.concat(chunks).toString("utf8");
      } finally {
        add(client, -size);
      }
    },
  };
}
