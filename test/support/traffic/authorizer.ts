import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import type { Type } from "protobufjs";
import { envoyProtos } from "./envoy-protos.ts";

/** An external authorizer with real servers for both protocols. */
export interface Authorizer {
  readonly grpcPort: number;
  readonly httpPort: number;
  close(): void;
}

/**
 * Decides by the header `x-authorize`: `allow` passes (with `x-authorized-by` added), `fail` is a failure of its own, anything
 * else is refused with 401. Connections (no headers) pass when their peer's account is `client`.
 */
export async function startAuthorizer(): Promise<Authorizer> {
  const http = createServer((request, response) => {
    const wish = request.headers["x-authorize"];
    if (wish === "fail") return response.socket?.destroy();
    if (wish === "allow") response.setHeader("x-authorized-by", `http${request.url ?? ""}`);
    response.setHeader("x-reason", "no wish");
    response.setHeader("x-checked", checked(request.headers));
    return response.writeHead(wish === "allow" ? 200 : 401).end("not without a wish");
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { server, port } = await startGrpc();
  return {
    grpcPort: port,
    httpPort: (http.address() as AddressInfo).port,
    close() {
      http.close();
      http.closeAllConnections();
      server.forceShutdown();
    },
  };
}

/** Names of the headers that reached it, apart from those of every request. */
function checked(headers: IncomingHttpHeaders): string {
  return Object.keys(headers)
    .filter((name) => name.startsWith("x-a") || name.startsWith("x-own"))
    .toSorted()
    .join(" ");
}

interface Check {
  readonly attributes?: {
    readonly source?: { readonly principal?: string };
    readonly request?: {
      readonly http?: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
    };
  };
}

async function startGrpc(): Promise<{ readonly server: Server; readonly port: number }> {
  const root = await envoyProtos("envoy/service/auth/v3/external_auth.proto");
  const [asked, answer] = ["CheckRequest", "CheckResponse"].map((name) =>
    root.lookupType(`envoy.service.auth.v3.${name}`),
  ) as [Type, Type];
  const server = new Server();
  const definition = {
    Check: {
      path: "/envoy.service.auth.v3.Authorization/Check",
      requestStream: false,
      responseStream: false,
      requestDeserialize: (bytes: Buffer): Check => asked.decode(bytes) as unknown as Check,
      requestSerialize: () => Buffer.alloc(0),
      responseSerialize: (value: object) => Buffer.from(answer.encode(answer.fromObject(value)).finish()),
      responseDeserialize: () => ({}),
    },
  };
  server.addService(definition, {
    Check(call: ServerUnaryCall<Check, object>, callback: sendUnaryData<object>) {
      callback(null, decide(call.request));
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { server, port };
}

const OK = 0;
const PERMISSION_DENIED = 7;

function decide({ attributes = {} }: Check): object {
  const headers = attributes.request?.http?.headers ?? {};
  const principal = attributes.source?.principal ?? "";
  const isRequest = Object.keys(headers).length > 0;
  const isFine = isRequest ? headers["x-authorize"] === "allow" : principal.endsWith("/sa/client");
  if (isFine)
    return {
      status: { code: OK },
      okResponse: { headers: [{ header: { key: "x-authorized-by", value: `grpc ${principal}` } }] },
    };
  return { status: { code: PERMISSION_DENIED }, deniedResponse: { status: { code: 401 }, body: "not without a wish" } };
}
