import { Duplex } from "node:stream";
import { createHeaderCodec } from "./spdy-headers.ts";

/** One stream of a SPDY connection, as the other side opened it. */
export interface SpdyStream {
  readonly id: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Reading ends with the other side's FIN; ending it sends ours. */
  readonly duplex: Duplex;
}

const frameTypes = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7 } as const;
const finFlag = 1;
const maxFrame = 1 << 24;
const chunkSize = 32 * 1024;

function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(payload.length, 4);
  head.writeUInt8(flags, 4);
  return Buffer.concat([head, payload]);
}

function dataFrame(id: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(payload.length, 4);
  head.writeUInt8(flags, 4);
  return Buffer.concat([head, payload]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

/**
 * The server side of SPDY/3.1 over any byte stream, as kubectl multiplexes port-forward on it: SYN_STREAM, data, FIN, RST,
 * ping and GOAWAY. Flow control windows are not used, as the Kubernetes clients do not. Resolves when the connection ends.
 */
export async function serveSpdy(transport: Duplex, onStream: (stream: SpdyStream) => void): Promise<void> {
  const codec = createHeaderCodec();
  const streams = new Map<number, Duplex>();
  const send = (frame: Buffer): void => {
    if (transport.writable) transport.write(frame);
  };

  function open(id: number): Duplex {
    return new Duplex({
      allowHalfOpen: true,
      read() {
        transport.resume();
      },
      write(chunk: Buffer, _encoding, done) {
        for (let offset = 0; offset < chunk.length; offset += chunkSize) {
          send(dataFrame(id, 0, chunk.subarray(offset, offset + chunkSize)));
        }
        if (transport.writableNeedDrain) transport.once("drain", () => done());
        else done();
      },
      final(done) {
        send(dataFrame(id, finFlag, Buffer.alloc(0)));
        done();
      },
      destroy(error, done) {
        if (streams.delete(id) && error !== null) send(controlFrame(frameTypes.rstStream, 0, words(id, 5)));
        done(null);
      },
    });
  }

  async function synStream(flags: number, payload: Buffer): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fff_ffff;
    const headers = await codec.decode(payload.subarray(10));
    const duplex = open(id);
    duplex.on("error", () => duplex.destroy());
    streams.set(id, duplex);
    send(controlFrame(frameTypes.synReply, 0, Buffer.concat([words(id), await codec.encode({})])));
    if ((flags & finFlag) !== 0) duplex.push(null);
    onStream({ id, headers, duplex });
  }

  async function control(type: number, flags: number, payload: Buffer): Promise<void> {
    switch (type) {
      case frameTypes.synStream:
        await synStream(flags, payload);
        break;
      case frameTypes.rstStream:
        streams.get(payload.readUInt32BE(0) & 0x7fff_ffff)?.destroy();
        break;
      case frameTypes.ping:
        send(controlFrame(frameTypes.ping, 0, payload));
        break;
      case frameTypes.goAway:
        transport.end();
        break;
      default:
      // settings, headers and windows change nothing here
    }
  }

  async function frame(head: Buffer, payload: Buffer): Promise<void> {
    const flags = head.readUInt8(4);
    if ((head.readUInt8(0) & 0x80) !== 0) {
      await control(head.readUInt16BE(2), flags, payload);
      return;
    }
    const stream = streams.get(head.readUInt32BE(0));
    if (stream === undefined) return;
    if (payload.length > 0 && !stream.push(payload)) transport.pause();
    if ((flags & finFlag) !== 0) stream.push(null);
  }

  try {
    let pending: Buffer = Buffer.alloc(0);
    for await (const chunk of transport) {
      pending = pending.length === 0 ? (chunk as Buffer) : Buffer.concat([pending, chunk as Buffer]);
      while (pending.length >= 8) {
        const length = pending.readUInt32BE(4) & (maxFrame - 1);
        if (pending.length < 8 + length) break;
        await frame(pending.subarray(0, 8), pending.subarray(8, 8 + length));
        pending = pending.subarray(8 + length);
      }
    }
  } finally {
    for (const stream of streams.values()) stream.destroy();
    codec.close();
    transport.destroy();
  }
}
