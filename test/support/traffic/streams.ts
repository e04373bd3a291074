import { request as httpRequest } from "node:http";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { once } from "node:events";

/** Where a sidecar listens for a service. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** A gRPC call that stays open: messages go and come one by one. */
export interface Call {
  /** Sends a message and resolves with the one that comes back. */
  say(text: string): Promise<string>;
  /** Ends our side and resolves with the trailers. */
  end(): Promise<Readonly<Record<string, unknown>>>;
}

const FRAME = 5;

/** Opens a call to the application's echo of streams. */
export function openCall({ host, port }: Place): Call {
  const session: ClientHttp2Session = connectHttp2(`http://${host}:${port}`);
  const stream: ClientHttp2Stream = session.request({
    ":method": "POST",
    ":path": "/stream.Echo/Chat",
    ":authority": "echo",
    "content-type": "application/grpc",
    te: "trailers",
  });
  let buffered = Buffer.alloc(0);
  const message = async (): Promise<string> => {
    for (;;) {
      if (buffered.length >= FRAME) {
        const end = FRAME + buffered.readUInt32BE(1);
        if (buffered.length >= end) {
          const text = buffered.subarray(FRAME, end).toString();
          buffered = buffered.subarray(end);
          return text;
        }
      }
      const [chunk] = (await once(stream, "data")) as [Buffer];
      buffered = Buffer.concat([buffered, chunk]);
    }
  };
  return {
    say(text) {
      const payload = Buffer.from(text);
      const frame = Buffer.alloc(FRAME);
      frame.writeUInt32BE(payload.length, 1);
      const answer = message();
      stream.write(Buffer.concat([frame, payload]));
      return answer;
    },
    async end() {
      const trailers = once(stream, "trailers");
      stream.end();
      stream.resume();
      const [last] = (await trailers) as [Readonly<Record<string, unknown>>];
      session.close();
      return last;
    },
  };
}

/** Sends bytes over HTTP/1.1 with `Expect: 100-continue`, the body only once it was asked for; resolves with what came back. */
export function sendWhenAsked(
  { host, port }: Place,
  body: Buffer,
): Promise<{ readonly asked: boolean; readonly body: Buffer }> {
  return new Promise((resolve, reject) => {
    let asked = false;
    const headers = { expect: "100-continue", host: "echo", "content-length": body.length };
    const sent = httpRequest({ host, port, method: "POST", path: "/stream", agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ asked, body: Buffer.concat(chunks) }));
      response.on("error", reject);
    });
    sent.on("continue", () => {
      asked = true;
      sent.end(body);
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });
}

/** Sends bytes, ends our side (unless told to leave it open), and resolves with all that comes until the other side ends. */
export async function sendAndEnd({ host, port }: Place, bytes: Buffer, leaveOpen = false): Promise<Buffer> {
  const socket = connect({ host, port, allowHalfOpen: true });
  await once(socket, "connect");
  if (leaveOpen) socket.write(bytes);
  else socket.end(bytes);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  socket.destroy();
  return Buffer.concat(chunks);
}

/** A connection that stays open. */
export async function open({ host, port }: Place): Promise<Socket> {
  const socket = connect({ host, port });
  await once(socket, "connect");
  return socket;
}

/** Sends a text over an open connection and resolves with the first bytes that come back. */
export async function exchange(socket: Socket, text: string): Promise<string> {
  const answer = once(socket, "data");
  socket.write(text);
  const [chunk] = (await answer) as [Buffer];
  return chunk.toString();
}
