import { type AddressInfo, createServer } from "node:net";
import { type Metadata, type MethodDefinition, Server, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { type ConnectionLimits, limitConnections } from "../base/connection-limit.ts";
import { EnvironmentError, errorText } from "../base/errors.ts";
import { MixedCredentials, type ServerIdentity } from "./mixed-credentials.ts";

/** One gRPC service: its methods by name and who answers them. Messages pass as bytes; who answers decodes them. */
export interface GrpcService {
  readonly definition: Readonly<Record<string, MethodDefinition<Buffer, Buffer>>>;
  readonly implementation: UntypedServiceImplementation;
}

export interface GrpcServer {
  readonly port: number;
  /** The certificate shown to new connections. */
  readonly update: (identity: ServerIdentity) => void;
  /** Says goodbye to streams, waits at most `graceMs` for them, then ends them. */
  close(graceMs: number): Promise<void>;
}

/** The largest message taken from a client: enough for the names and versions of 50,000 resources. */
export const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** A connection on which nothing is called for so long is ended: whoever only holds it is nobody's proxy. */
const IDLE_MS = 60_000;

/**
 * Listens with mixed credentials. The listening socket is ours, not grpc-js's, so that connections can be counted before
 * anything of TLS is done for them. Throws EnvironmentError `port-in-use` when the address cannot be had.
 */
export async function startGrpcServer(
  address: { readonly host: string; readonly port: number },
  identity: ServerIdentity,
  services: readonly GrpcService[],
  limits?: ConnectionLimits,
): Promise<GrpcServer> {
  const credentials = new MixedCredentials(identity);
  const server = new Server({
    "grpc.max_receive_message_length": MAX_REQUEST_BYTES,
    "grpc.max_send_message_length": -1,
    "grpc.max_concurrent_streams": 1_000,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.max_connection_idle_ms": IDLE_MS,
    "grpc-node.flow_control_window": 1024 * 1024,
  });
  for (const service of services) server.addService(service.definition, service.implementation);
  const injector = server.createConnectionInjector(credentials);
  const listener = createServer({ noDelay: true }, (socket) => {
    // What ends the connection is told to its calls; a socket without a listener of its own would end the process.
    socket.on("error", () => undefined);
    if (!socket.destroyed) injector.injectConnection(socket);
  });
  limitConnections(listener, limits);
  await new Promise<void>((resolve, reject) => {
    listener.once("error", (error) => {
      const where = `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
      reject(
        new EnvironmentError("port-in-use", `cannot listen on ${where}: ${errorText(error)}`, {
          hint: "stop what listens there, or choose another port",
          cause: error,
        }),
      );
    });
    listener.listen(address.port, address.host, resolve);
  });
  return {
    port: (listener.address() as AddressInfo).port,
    update: (next) => credentials.update(next),
    async close(graceMs) {
      listener.close();
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, graceMs);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  };
}

/** A method whose messages pass as bytes. */
export function bytesMethod(
  path: string,
  streams: { readonly request: boolean; readonly response: boolean },
): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    path,
    requestStream: streams.request,
    responseStream: streams.response,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

/** Who is at the other end of a call, as far as the transport knows. */
export interface Peer {
  readonly address: string;
  /** DER of the client certificate that our roots verify; undefined when none was shown or it counts as none. */
  readonly certificate: Buffer | undefined;
  /** The token of `authorization: Bearer …`. */
  readonly bearer: string | undefined;
  /** Metadata `clusterid`: the cluster that the caller says it is in. */
  readonly clusterId?: string | undefined;
}

interface SurfaceCall {
  readonly metadata: Metadata;
  getPeer(): string;
  getAuthContext(): { sslPeerCertificate?: { raw: Buffer; valid_to: string } };
}

/** Reads the peer of a call. A certificate that ended since its handshake counts as none, also in a resumed session. */
export function peerOf(call: SurfaceCall): Peer {
  const certificate = call.getAuthContext().sslPeerCertificate;
  const alive = certificate !== undefined && Date.parse(certificate.valid_to) > Date.now();
  const [header] = call.metadata.get("authorization");
  const bearer = typeof header === "string" ? /^Bearer +(\S+)$/i.exec(header)?.[1] : undefined;
  const [said] = call.metadata.get("clusterid");
  const clusterId = typeof said === "string" && said !== "" ? said : undefined;
  return { address: call.getPeer(), certificate: alive ? certificate.raw : undefined, bearer, clusterId };
}

/** Why a call is refused or ended, in gRPC's words. */
export type Refusal =
  | "UNAUTHENTICATED"
  | "PERMISSION_DENIED"
  | "INVALID_ARGUMENT"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "INTERNAL"
  | "ABORTED";

/** A status for grpc-js to end a call with. */
export function statusOf(refusal: Refusal, details: string): { code: status; details: string } {
  return { code: status[refusal], details };
}
