import { Duplex } from "node:stream";
import { createHeaderCodec, type HeaderCodec } from "./spdy-headers.ts";

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

/** What the frames of one connection work on. */
interface Session {
  readonly transport: Duplex;
  readonly codec: HeaderCodec;
  readonly streams: Map<number, Duplex>;
  readonly onStream: (stream: SpdyStream) => void;
  send(frame: Buffer): void;
}

function openStream(session: Session, id: number): Duplex {
  const { transport, streams } = session;
  return new Duplex({
    allowHalfOpen: true,
    read() {
      transport.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      for (let offset = 0; offset < chunk.length; offset += chunkSize) {
        session.send(dataFrame(id, 0, chunk.subarray(offset, offset + chunkSize)));
      }
      if (transport.writableNeedDrain) transport.once("drain", () => done());
      else done();
    },
    final(done) {
      session.send(dataFrame(id, finFlag, Buffer.alloc(0)));
      done();
    },
    destroy(error, done) {
      if (streams.delete(id) && error !== null) session.send(controlFrame(frameTypes.rstStream, 0, words(id, 5)));
      done(null);
    },
  });
}

async function synStream(session: Session, flags: number, payload: Buffer): Promise<void> {
  const id = payload.readUInt32BE(0) & 0x7fff_ffff;
  const headers = await session.codec.decode(payload.subarray(10));
  const duplex = openStream(session, id);
  duplex.on("error", () => duplex.destroy());
  session.streams.set(id, duplex);
  const reply = Buffer.concat([words(id), await session.codec.encode({})]);
  session.send(controlFrame(frameTypes.synReply, 0, reply));
  if ((flags & finFlag) !== 0) duplex.push(null);
  session.onStream({ id, headers, duplex });
}

async function controlReceived(session: Session, head: Buffer, payload: Buffer): Promise<void> {
  switch (head.readUInt16BE(2)) {
    case frameTypes.synStream:
      await synStream(session, head.readUInt8(4), payload);
      break;
    case frameTypes.rstStream:
      session.streams.get(payload.readUInt32BE(0) & 0x7fff_ffff)?.destroy();
      break;
    case frameTypes.ping:
      session.send(controlFrame(frameTypes.ping, 0, payload));
      break;
    case frameTypes.goAway:
      session.transport.end();
      break;
    default:
    // settings, headers and windows change nothing here
  }
}

function dataReceived({ streams, transport }: Session, head: Buffer, payload: Buffer): void {
  const stream = streams.get(head.readUInt32BE(0));
  if (stream === undefined) return;
  if (payload.length > 0 && !stream.push(payload)) transport.pause();
  if ((head.readUInt8(4) & finFlag) !== 0) stream.push(null);
}

/**
 * The server side of SPDY/3.1 over any byte stream, as kubectl multiplexes port-forward on it: SYN_STREAM, data, FIN, RST,
 * ping and GOAWAY. Flow control windows are not used, as the Kubernetes clients do not. Resolves when the connection ends.
 */
export async function serveSpdy(transport: Duplex, onStream: (stream: SpdyStream) => void): Promise<void> {
  const send = (frame: Buffer): void => {
    if (transport.writable) transport.write(frame);
  };
  const session: Session = { transport, codec: createHeaderCodec(), streams: new Map(), onStream, send };
  try {
    let pending: Buffer = Buffer.alloc(0);
    for await (const chunk of transport) {
      pending = pending.length === 0 ? (chunk as Buffer) : Buffer.concat([pending, chunk as Buffer]);
      while (pending.length >= 8) {
        const length = pending.readUInt32BE(4) & (maxFrame - 1);
        if (pending.length < 8 + length) break;
        const head = pending.subarray(0, 8);
        const payload = pending.subarray(8, 8 + length);
        pending = pending.subarray(8 + length);
        if ((head.readUInt8(0) & 0x80) === 0) dataReceived(session, head, payload);
        else await controlReceived(session, head, payload);
      }
    }
  } finally {
    for (const stream of session.streams.values()) stream.destroy();
    session.codec.close();
    transport.destroy();
  }
}
