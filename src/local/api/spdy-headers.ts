import type { Transform } from "node:stream";
import { constants, createDeflate, createInflate } from "node:zlib";
import { spdyDictionary } from "./spdy-dictionary.ts";

/** Header blocks of one SPDY connection: each direction is one zlib stream over all blocks, so calls must not overlap. */
export interface HeaderCodec {
  decode(block: Buffer): Promise<Readonly<Record<string, string>>>;
  encode(headers: Readonly<Record<string, string>>): Promise<Buffer>;
  close(): void;
}

async function pass(
  stream: Transform & { flush?: (kind: number, done: () => void) => void },
  bytes: Buffer,
  kind?: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const collect = (): void => {
      stream.off("error", reject);
      const chunks: Buffer[] = [];
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null)
        chunks.push(chunk);
      resolve(Buffer.concat(chunks));
    };
    stream.once("error", reject);
    stream.write(bytes, (error) => {
      if (error) return;
      if (kind === undefined || stream.flush === undefined) collect();
      else stream.flush(kind, collect);
    });
  });
}

function readPairs(bytes: Buffer): Record<string, string> {
  let offset = 0;
  const number = (): number => {
    offset += 4;
    return bytes.readUInt32BE(offset - 4);
  };
  const text = (): string => {
    const length = number();
    offset += length;
    return bytes.toString("utf8", offset - length, offset);
  };
  const headers: Record<string, string> = {};
  for (let count = number(); count > 0; count--) {
    const name = text();
    headers[name.toLowerCase()] = text();
  }
  return headers;
}

function writePairs(headers: Readonly<Record<string, string>>): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const text = (value: string): Buffer[] => [number(Buffer.byteLength(value)), Buffer.from(value)];
  const entries = Object.entries(headers);
  return Buffer.concat([
    number(entries.length),
    ...entries.flatMap(([name, value]) => [...text(name), ...text(value)]),
  ]);
}

/** Makes the codec of a new connection. */
export function createHeaderCodec(): HeaderCodec {
  const inflate = createInflate({ dictionary: spdyDictionary });
  const deflate = createDeflate({ dictionary: spdyDictionary });
  return {
    decode: async (block) => readPairs(await pass(inflate, block)),
    encode: async (headers) => pass(deflate, writePairs(headers), constants.Z_SYNC_FLUSH),
    close() {
      inflate.destroy();
      deflate.destroy();
    },
  };
}
