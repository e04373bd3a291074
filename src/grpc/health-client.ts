import { Client, credentials } from "@grpc/grpc-js";

/** A `grpc.health.v1.Health/Check` of one service. */
export interface HealthCheck {
  readonly host: string;
  readonly port: number;
  /** Empty asks for the server as a whole. */
  readonly service: string;
  /** Milliseconds. */
  readonly timeout: number;
}

const SERVING = 1;

/**
 * Whether the server says SERVING; any other answer, error or silence is false. The two messages have one field each
 * (`string service = 1`, `Status status = 1`), so they are written here by hand.
 */
export function checkHealth(check: HealthCheck): Promise<boolean> {
  const host = check.host.includes(":") ? `[${check.host}]` : check.host;
  const client = new Client(`${host}:${check.port}`, credentials.createInsecure(), {
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
  });
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      "/grpc.health.v1.Health/Check",
      encodeService,
      decodeStatus,
      check.service,
      { deadline: Date.now() + check.timeout },
      (error, value) => {
        client.close();
        resolve(error === null && value === SERVING);
      },
    );
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
