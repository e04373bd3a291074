import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import {
  type handleBidiStreamingCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { EnvironmentError, errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { decodeMessage, encodeMessage, type MessageName, type Messages, typed } from "../wire/codec.ts";

/** What a proxy asks for by name: its own certificate with the key, or the roots it trusts. */
export type SdsSecret =
  | { readonly kind: "certificate"; readonly chain: string; readonly key: { pem(): string } }
  | {
      readonly kind: "roots";
      readonly pem: string;
      /** PEM of revocation lists: peers that are on one are refused, and so are those of an authority without a list. */
      readonly revocations?: string;
      /** Whether certificates above the peer's own are left out of that. */
      readonly leafOnly?: boolean;
    };

/** Secret discovery on a unix socket, state of the world and delta. */
export interface SdsServer {
  /** Makes the secret current and pushes it to every stream that asked for its name. Equal content pushes nothing. */
  publish(name: string, secret: SdsSecret): void;
  /** Listens. Throws EnvironmentError when the socket cannot be made. */
  start(): Promise<void>;
  /** Ends all streams and removes the socket. */
  close(): Promise<void>;
}

const SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret";
const SECRET_URL = `type.googleapis.com/${SECRET}`;
const SERVICE = "envoy.service.secret.v3.SecretDiscoveryService";

type Request = Messages["envoy.service.discovery.v3.DiscoveryRequest"];
type Response = Messages["envoy.service.discovery.v3.DiscoveryResponse"];
type DeltaRequest = Messages["envoy.service.discovery.v3.DeltaDiscoveryRequest"];
type DeltaResponse = Messages["envoy.service.discovery.v3.DeltaDiscoveryResponse"];

/** What a stream is to the store of secrets: it wants some names and takes changes of them. */
interface Subscriber {
  readonly names: Set<string>;
  push(names: readonly string[]): void;
}

interface Held {
  readonly version: string;
  readonly secret: Messages[typeof SECRET];
}

/**
 * A name asked for before it is published is answered when it is: Envoy then waits, which is what keeps its listeners
 * and its connection to meshd warming until there is an identity. `socketPath` may be relative to the working directory.
 */
export function createSdsServer(socketPath: string, log: Logger): SdsServer {
  const held = new Map<string, Held>();
  const streams = new Set<Subscriber>();
  const server = new Server();
  server.addService(definition(), {
    StreamSecrets: streamHandler(held, streams, log),
    DeltaSecrets: deltaHandler(held, streams, log),
    FetchSecrets: unimplemented,
  });
  return {
    publish: (name, secret) => {
      const next = hold(name, secret);
      if (held.get(name)?.version === next.version) return;
      held.set(name, next);
      for (const stream of streams) if (stream.names.has(name)) stream.push([name]);
    },
    start: () => listen(server, socketPath),
    close: () => {
      server.forceShutdown();
      rmSync(socketPath, { force: true });
      return Promise.resolve();
    },
  };
}

function hold(name: string, secret: SdsSecret): Held {
  const content = secret.kind === "certificate" ? certificateOf(secret) : { validation_context: rootsOf(secret) };
  // a key goes with its chain
  const text = secret.kind === "certificate" ? secret.chain : JSON.stringify(content);
  const version = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { version, secret: { name, ...content } };
}

function certificateOf(secret: Extract<SdsSecret, { kind: "certificate" }>): Pick<Held["secret"], "tls_certificate"> {
  const certificate_chain = { inline_string: secret.chain };
  return { tls_certificate: { certificate_chain, private_key: { inline_string: secret.key.pem() } } };
}

function rootsOf(secret: Extract<SdsSecret, { kind: "roots" }>): NonNullable<Held["secret"]["validation_context"]> {
  const { pem, revocations, leafOnly = false } = secret;
  const lists =
    revocations === undefined ? {} : { crl: { inline_string: revocations }, only_verify_leaf_cert_crl: leafOnly };
  return { trusted_ca: { inline_string: pem }, ...lists };
}

function streamHandler(
  held: ReadonlyMap<string, Held>,
  streams: Set<Subscriber>,
  log: Logger,
): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    let nonce = 0;
    const stream: Subscriber = {
      names: new Set(),
      push: (names) => {
        const found = names.flatMap((name) => held.get(name) ?? []);
        if (found.length === 0) return;
        nonce += 1;
        call.write({
          version_info: found.map((item) => item.version).join("."),
          type_url: SECRET_URL,
          nonce: String(nonce),
          resources: found.map((item) => typed(SECRET, item.secret)),
        });
      },
    };
    track(call, streams, stream);
    call.on("data", (request: Request) => {
      noteRefusal(request.error_detail, log);
      const names = request.resource_names ?? [];
      const added = names.filter((name) => !stream.names.has(name));
      stream.names.clear();
      for (const name of names) stream.names.add(name);
      stream.push(added);
    });
  };
}

function deltaHandler(
  held: ReadonlyMap<string, Held>,
  streams: Set<Subscriber>,
  log: Logger,
): handleBidiStreamingCall<DeltaRequest, DeltaResponse> {
  return (call) => {
    let nonce = 0;
    const stream: Subscriber = {
      names: new Set(),
      push: (names) => {
        const found = names.flatMap((name) => {
          const item = held.get(name);
          return item === undefined ? [] : [{ name, ...item }];
        });
        if (found.length === 0) return;
        nonce += 1;
        call.write({
          type_url: SECRET_URL,
          nonce: String(nonce),
          resources: found.map(({ name, version, secret }) => ({ name, version, resource: typed(SECRET, secret) })),
        });
      },
    };
    track(call, streams, stream);
    call.on("data", (request: DeltaRequest) => {
      noteRefusal(request.error_detail, log);
      const known = request.initial_resource_versions ?? {};
      for (const name of request.resource_names_unsubscribe ?? []) stream.names.delete(name);
      const added = request.resource_names_subscribe ?? [];
      for (const name of added) stream.names.add(name);
      stream.push(added.filter((name) => known[name] === undefined || known[name] !== held.get(name)?.version));
    });
  };
}

function track<Req, Res>(call: ServerDuplexStream<Req, Res>, streams: Set<Subscriber>, stream: Subscriber): void {
  streams.add(stream);
  const drop = (): void => {
    streams.delete(stream);
  };
  call.on("end", () => {
    drop();
    call.end();
  });
  call.on("cancelled", drop);
  call.on("error", drop);
}

function noteRefusal(error: { readonly message?: string } | undefined, log: Logger): void {
  if (error !== undefined) log.warn({ reason: error.message ?? "" }, "Envoy refused a secret");
}

const unimplemented: UntypedHandleCall = (_call: unknown, answer: (error: object) => void) => {
  answer({ code: status.UNIMPLEMENTED, details: "FetchSecrets is not served; use StreamSecrets or DeltaSecrets" });
};

function definition(): Record<string, MethodDefinition<object, object>> {
  const discovery = "envoy.service.discovery.v3.";
  const sotw = method(`${discovery}DiscoveryRequest`, `${discovery}DiscoveryResponse`);
  const delta = method(`${discovery}DeltaDiscoveryRequest`, `${discovery}DeltaDiscoveryResponse`);
  return {
    StreamSecrets: { ...sotw, path: `/${SERVICE}/StreamSecrets` },
    DeltaSecrets: { ...delta, path: `/${SERVICE}/DeltaSecrets` },
    FetchSecrets: { ...sotw, path: `/${SERVICE}/FetchSecrets`, requestStream: false, responseStream: false },
  };
}

function method(request: MessageName, response: MessageName): MethodDefinition<object, object> {
  const write = (type: MessageName) => (message: object) => Buffer.from(encodeMessage(type, message as never));
  const read = (type: MessageName) => (bytes: Buffer) => decodeMessage(type, bytes) as object;
  return {
    path: "",
    requestStream: true,
    responseStream: true,
    requestSerialize: write(request),
    requestDeserialize: read(request),
    responseSerialize: write(response),
    responseDeserialize: read(response),
  };
}

/** A longer path is cut by the system without a word. */
const MAX_SOCKET_PATH = 107;

function listen(server: Server, socketPath: string): Promise<void> {
  const hint = `Use a path of at most ${MAX_SOCKET_PATH} bytes in a directory that can be written.`;
  const refuse = (words: string, cause?: unknown): EnvironmentError =>
    new EnvironmentError("agent-sds", `cannot listen on ${socketPath}: ${words}`, { hint, cause });
  const length = Buffer.byteLength(socketPath);
  if (length > MAX_SOCKET_PATH) return Promise.reject(refuse(`the path has ${length} bytes`));
  return new Promise((resolve, reject) => {
    try {
      mkdirSync(dirname(socketPath), { recursive: true });
      // Left by an agent that was killed; a living one would hold the pod's other ports too.
      rmSync(socketPath, { force: true });
    } catch (cause) {
      reject(refuse(errorText(cause), cause));
      return;
    }
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) => {
      if (error !== null) {
        reject(refuse(error.message, error));
        return;
      }
      chmodSync(socketPath, 0o600);
      resolve();
    });
  });
}
