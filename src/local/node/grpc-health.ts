import { connect } from "node:http2";

/** `grpc.health.v1.Health/Check`: true when the answer is SERVING. Rejects when there is none within the time. */
export function grpcHealth(host: string, port: number, service: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${host}:${port}`);
    const timer = setTimeout(() => {
      fail(new Error("timeout"));
    }, timeoutMs);
    const finish = (): void => {
      clearTimeout(timer);
      session.destroy();
    };
    const fail = (error: Error): void => {
      finish();
      reject(error);
    };
    session.once("error", fail);
    const request = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    request.on("error", fail);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      finish();
      resolve(isServing(Buffer.concat(chunks)));
    });
    const name = Buffer.from(service);
    const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    request.end(Buffer.concat([prefix, message]));
  });
}

/** HealthCheckResponse { status = 1: SERVING = 1 }, after gRPC's five bytes. */
function isServing(bytes: Buffer): boolean {
  return bytes.length >= 7 && bytes[5] === 0x08 && bytes[6] === 1;
}
