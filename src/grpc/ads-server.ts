import type { ServerDuplexStream } from "@grpc/grpc-js";
import { decodeMessage, type Messages } from "../wire/codec.ts";
import { bytesMethod, type GrpcService, type Peer, peerOf, type Refusal, statusOf } from "./server.ts";

export type DeltaRequest = Messages["envoy.service.discovery.v3.DeltaDiscoveryRequest"];
export type SotwRequest = Messages["envoy.service.discovery.v3.DiscoveryRequest"];

/** Our end of one open xDS stream. Responses are bytes, encoded by the caller out of pieces that are already encoded. */
export interface XdsConnection {
  readonly peer: Peer;
  /** One response at a time: `drained` is called when the transport has taken it and the next may follow. */
  send(response: Uint8Array): void;
  /** Ends the stream; with a refusal, by that status. */
  end(refusal?: { readonly status: Refusal; readonly details: string }): void;
}

/** Who answers one stream. Nothing is called after `closed`. What throws ends this stream and no other. */
export interface XdsHandler<Request> {
  request(request: Request): void;
  drained(): void;
  closed(): void;
}

/** Makes the handler of each new stream, of either protocol. */
export interface XdsAcceptor {
  readonly delta: (connection: XdsConnection) => XdsHandler<DeltaRequest>;
  readonly sotw: (connection: XdsConnection) => XdsHandler<SotwRequest>;
}

const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

/** AggregatedDiscoveryService: delta and state of the world. `onFault` is told of handlers that threw. */
export function adsService(acceptor: XdsAcceptor, onFault: (error: unknown) => void): GrpcService {
  const both = { request: true, response: true };
  const delta = (bytes: Buffer): DeltaRequest =>
    decodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", bytes);
  const sotw = (bytes: Buffer): SotwRequest => decodeMessage("envoy.service.discovery.v3.DiscoveryRequest", bytes);
  return {
    definition: {
      DeltaAggregatedResources: bytesMethod(`${SERVICE}/DeltaAggregatedResources`, both),
      StreamAggregatedResources: bytesMethod(`${SERVICE}/StreamAggregatedResources`, both),
    },
    implementation: {
      DeltaAggregatedResources: (call: Call) => serve(call, acceptor.delta, delta, onFault),
      StreamAggregatedResources: (call: Call) => serve(call, acceptor.sotw, sotw, onFault),
    },
  };
}

type Call = ServerDuplexStream<Buffer, Buffer>;

/** Joins a call to its handler, so that nothing a client does can throw out of here. */
function serve<Request>(
  call: Call,
  accept: (connection: XdsConnection) => XdsHandler<Request>,
  decode: (bytes: Buffer) => Request,
  onFault: (error: unknown) => void,
): void {
  let handler: XdsHandler<Request> | undefined;
  const link = createLink(call, () => handler, onFault);
  // grpc-js ends the call by its own 'error' listener; ours only keeps it from being the last one.
  call.on("error", link.close);
  call.on("cancelled", link.close);
  call.on("end", () => {
    link.close();
    call.end();
  });
  call.on("data", (bytes: Buffer) => {
    let request: Request;
    try {
      request = decode(bytes);
    } catch {
      link.connection.end({ status: "INVALID_ARGUMENT", details: "the request is not a discovery request" });
      return;
    }
    link.guard(() => handler?.request(request));
  });
  link.guard(() => {
    handler = accept(link.connection);
  });
}

interface Link {
  readonly connection: XdsConnection;
  readonly close: () => void;
  /** Runs work of the handler; what it throws ends the stream. */
  readonly guard: (work: () => void) => void;
}

function createLink(
  call: Call,
  handler: () => { drained(): void; closed(): void } | undefined,
  onFault: (error: unknown) => void,
): Link {
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    try {
      handler()?.closed();
    } catch (error) {
      onFault(error);
    }
  };
  const end = (refusal?: { readonly status: Refusal; readonly details: string }): void => {
    if (!open) return;
    close();
    if (refusal === undefined) call.end();
    else call.emit("error", statusOf(refusal.status, refusal.details));
  };
  const guard = (work: () => void): void => {
    if (!open) return;
    try {
      work();
    } catch (error) {
      onFault(error);
      end({ status: "INTERNAL", details: "the stream met an error of the control plane" });
    }
  };
  const send = (response: Uint8Array): void => {
    if (!open) return;
    const bytes = Buffer.from(response.buffer, response.byteOffset, response.length);
    call.write(bytes, (error: unknown) => {
      if (error === undefined || error === null) guard(() => handler()?.drained());
    });
  };
  return { connection: { peer: peerOf(call), send, end }, close, guard };
}
