import { connect, type IncomingHttpHeaders } from "node:http2";
import { connect as dial } from "node:net";

/** A `grpc.health.v1.Health/Check` of one service. */
export interface HealthCheck {
  readonly host: string;
  readonly port: number;
  /** Empty asks for the server as a whole. */
  readonly service: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** Address to dial from, where it matters who asks. */
  readonly localAddress?: string;
}

const SERVING = 1;
/** Of a gRPC message: a flag for compression, which we do not offer, and four bytes of length. */
const PREFIX = 5;

/**
 * Whether the server says SERVING; any other answer, error or silence is false. The two messages have one field each
 * (`string service = 1`, `Status status = 1`), so they are written here by hand; so is the call, because grpc-js cannot choose
 * the address that it dials from.
 */
export function checkHealth(check: HealthCheck): Promise<boolean> {
  const { host, port, localAddress } = check;
  const socket = dial({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const session = connect(`http://${authority}`, { createConnection: () => socket });
  return new Promise((resolve) => {
    const end = (ok: boolean): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(ok);
    };
    const timer = setTimeout(() => end(false), check.timeout);
    session.on("error", () => end(false));
    const call = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let status: unknown;
    call.on("trailers", (trailers: IncomingHttpHeaders) => {
      status = trailers["grpc-status"];
    });
    call.on("data", (chunk: Buffer) => chunks.push(chunk));
    call.on("error", () => end(false));
    call.on("close", () => end(status === "0" && decodeStatus(Buffer.concat(chunks).subarray(PREFIX)) === SERVING));
    const message = encodeService(check.service);
    const prefix = Buffer.alloc(PREFIX);
    prefix.writeUInt32BE(message.length, 1);
    call.end(Buffer.concat([prefix, message]));
  });
}

function encodeService(service: string): Buffer {
  const text = Buffer.from(service);
  if (text.length === 0) return Buffer.alloc(0);
  const length = text.length < 128 ? [text.length] : [(text.length & 127) | 128, text.length >> 7];
  return Buffer.concat([Buffer.from([0x0a, ...length]), text]);
}

/** The value of field 1; 0 (UNKNOWN) when it is absent or the message starts with anything else. */
function decodeStatus(bytes: Buffer): number {
  return bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
}
