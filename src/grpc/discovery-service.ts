import {
  type handleBidiStreamingCall,
  type MethodDefinition,
  type ServerDuplexStream,
  status,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { decodeMessage, encodeMessage, type MessageName, type Messages, type TypedAny } from "../wire/codec.ts";

/** A service of one type of resources by name, for the Envoy beside us: state of the world and delta. */
export interface DiscoveryService {
  readonly methods: Readonly<Record<string, MethodDefinition<object, object>>>;
  readonly handlers: Readonly<Record<string, UntypedHandleCall>>;
  /** Makes the resource current and pushes it to every stream that asked for its name. An equal version pushes nothing. */
  publish(name: string, resource: DiscoveryResource): void;
  /** Who asks for the name from now on waits. */
  retract(name: string): void;
}

export interface DiscoveryResource {
  readonly version: string;
  readonly resource: TypedAny;
}

/** What a service serves, and who hears of it. */
export interface DiscoveryServiceSpec {
  /** `envoy.service.secret.v3.SecretDiscoveryService` */
  readonly service: string;
  /** `Secrets` of StreamSecrets, DeltaSecrets and FetchSecrets. */
  readonly noun: string;
  readonly typeUrl: string;
  /** Envoy did not take what it was sent. */
  readonly onRefused: (reason: string) => void;
  /** Names are asked for, whether they are there or not. */
  readonly onWanted?: (names: readonly string[]) => void;
}

type Request = Messages["envoy.service.discovery.v3.DiscoveryRequest"];
type Response = Messages["envoy.service.discovery.v3.DiscoveryResponse"];
type DeltaRequest = Messages["envoy.service.discovery.v3.DeltaDiscoveryRequest"];
type DeltaResponse = Messages["envoy.service.discovery.v3.DeltaDiscoveryResponse"];

/** What a stream is to the store: it wants some names and takes changes of them. */
interface Subscriber {
  readonly names: Set<string>;
  push(names: readonly string[]): void;
}

interface Store {
  readonly held: Map<string, DiscoveryResource>;
  readonly streams: Set<Subscriber>;
  readonly spec: DiscoveryServiceSpec;
}

/** A name asked for before it is published is answered when it is: Envoy waits. */
export function createDiscoveryService(spec: DiscoveryServiceSpec): DiscoveryService {
  const store: Store = { held: new Map(), streams: new Set(), spec };
  const { noun } = spec;
  return {
    methods: methodsOf(spec),
    handlers: {
      [`Stream${noun}`]: streamHandler(store) as UntypedHandleCall,
      [`Delta${noun}`]: deltaHandler(store) as UntypedHandleCall,
      [`Fetch${noun}`]: unimplemented(noun),
    },
    publish(name, resource) {
      if (store.held.get(name)?.version === resource.version) return;
      store.held.set(name, resource);
      for (const stream of store.streams) if (stream.names.has(name)) stream.push([name]);
    },
    retract: (name) => void store.held.delete(name),
  };
}

function streamHandler(store: Store): handleBidiStreamingCall<Request, Response> {
  return (call) => {
    let nonce = 0;
    const stream: Subscriber = {
      names: new Set(),
      push: (names) => {
        const found = names.flatMap((name) => store.held.get(name) ?? []);
        if (found.length === 0) return;
        nonce += 1;
        call.write({
          version_info: found.map((item) => item.version).join("."),
          type_url: store.spec.typeUrl,
          nonce: String(nonce),
          resources: found.map((item) => item.resource),
        });
      },
    };
    track(call, store.streams, stream);
    call.on("data", (request: Request) => {
      noteRefusal(store, request.error_detail);
      const names = request.resource_names ?? [];
      const added = names.filter((name) => !stream.names.has(name));
      stream.names.clear();
      for (const name of names) stream.names.add(name);
      if (added.length > 0) store.spec.onWanted?.(added);
      stream.push(added);
    });
  };
}

function deltaHandler(store: Store): handleBidiStreamingCall<DeltaRequest, DeltaResponse> {
  return (call) => {
    let nonce = 0;
    const stream: Subscriber = {
      names: new Set(),
      push: (names) => {
        const found = names.flatMap((name) => {
          const item = store.held.get(name);
          return item === undefined ? [] : [{ name, ...item }];
        });
        if (found.length === 0) return;
        nonce += 1;
        call.write({ type_url: store.spec.typeUrl, nonce: String(nonce), resources: found });
      },
    };
    track(call, store.streams, stream);
    call.on("data", (request: DeltaRequest) => {
      noteRefusal(store, request.error_detail);
      const known = request.initial_resource_versions ?? {};
      for (const name of request.resource_names_unsubscribe ?? []) stream.names.delete(name);
      const added = request.resource_names_subscribe ?? [];
      for (const name of added) stream.names.add(name);
      if (added.length > 0) store.spec.onWanted?.(added);
      stream.push(added.filter((name) => known[name] === undefined || known[name] !== store.held.get(name)?.version));
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

function noteRefusal({ spec }: Store, error: { readonly message?: string } | undefined): void {
  if (error !== undefined) spec.onRefused(error.message ?? "");
}

function unimplemented(noun: string): UntypedHandleCall {
  const details = `Fetch${noun} is not served; use Stream${noun} or Delta${noun}`;
  return (_call: unknown, answer: (error: object) => void) => {
    answer({ code: status.UNIMPLEMENTED, details });
  };
}

function methodsOf({ service, noun }: DiscoveryServiceSpec): DiscoveryService["methods"] {
  const discovery = "envoy.service.discovery.v3.";
  const sotw = method(`${discovery}DiscoveryRequest`, `${discovery}DiscoveryResponse`);
  const delta = method(`${discovery}DeltaDiscoveryRequest`, `${discovery}DeltaDiscoveryResponse`);
  return {
    [`Stream${noun}`]: { ...sotw, path: `/${service}/Stream${noun}` },
    [`Delta${noun}`]: { ...delta, path: `/${service}/Delta${noun}` },
    [`Fetch${noun}`]: { ...sotw, path: `/${service}/Fetch${noun}`, requestStream: false, responseStream: false },
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
