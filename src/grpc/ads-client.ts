import { type ChannelOptions, Client, type ClientDuplexStream, credentials, Metadata, status } from "@grpc/grpc-js";
import { decodeMessage, encodeMessage, type Messages, type TypedAny } from "../wire/codec.ts";
import type { CaCredential } from "./ca-client.ts";

/** One delta xDS stream of one type, of which everything is wanted. */
export interface DeltaStreamRequest {
  readonly address: { readonly host: string; readonly port: number };
  /** The DNS name that must be in the server's certificate. */
  readonly serverName: string;
  /** PEM of the roots that may have signed it. */
  readonly roots: string;
  readonly credential: CaCredential;
  /** Metadata `clusterid`: which cluster's API server reviews the token. */
  readonly clusterId: string | undefined;
  readonly node: Messages["envoy.config.core.v3.Node"];
  readonly typeUrl: string;
  /** What is asked for; absent: everything of the type. */
  readonly names?: readonly string[];
  /** Name to version of what an earlier stream brought. */
  readonly held: Readonly<Record<string, string>>;
}

export interface DeltaStreamEvents {
  /** A resource of the type, in JSON form. What it throws refuses the response. */
  readonly onResource: (name: string, version: string, resource: TypedAny) => void;
  readonly onRemoved: (name: string) => void;
  /** A whole response was taken in. */
  readonly onSettled: () => void;
  /** The stream is over; `refused` when the server did not take who we are. */
  readonly onEnd: (end: { readonly error: string | undefined; readonly refused: boolean }) => void;
}

const METHOD = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

type DeltaRequest = Messages["envoy.service.discovery.v3.DeltaDiscoveryRequest"];
type DeltaResponse = Messages["envoy.service.discovery.v3.DeltaDiscoveryResponse"];
type Stream = ClientDuplexStream<DeltaRequest, DeltaResponse>;

/** Opens the stream; the returned function ends it without a word to `onEnd`. Each response is confirmed when it is worked in. */
export function openDeltaStream(request: DeltaStreamRequest, events: DeltaStreamEvents): () => void {
  const client = clientOf(request);
  const call: Stream = client.makeBidiStreamRequest(
    METHOD,
    (value: DeltaRequest) => Buffer.from(encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", value)),
    (bytes: Buffer) => decodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", bytes),
    metadataOf(request),
  );
  let isOpen = true;
  const close = (): void => {
    isOpen = false;
    call.cancel();
    client.close();
  };
  const end = (error: string | undefined, refused: boolean): void => {
    if (!isOpen) return;
    close();
    events.onEnd({ error, refused });
  };
  call.on("data", (response: DeltaResponse) => {
    if (isOpen) call.write(answer(response, events, request.typeUrl));
  });
  call.on("error", (error: Error & { readonly code?: number }) => {
    end(error.message, error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED);
  });
  call.on("end", () => end(undefined, false));
  call.write({
    node: request.node,
    type_url: request.typeUrl,
    resource_names_subscribe: request.names ?? [],
    initial_resource_versions: request.held,
  });
  return close;
}

/** Works a response in; the request that says how that went. */
function answer(response: DeltaResponse, events: DeltaStreamEvents, typeUrl: string): DeltaRequest {
  const confirmation: DeltaRequest = { type_url: typeUrl, response_nonce: response.nonce ?? "" };
  try {
    for (const { name = "", version = "", resource } of response.resources ?? []) {
      if (resource !== undefined) events.onResource(name, version, resource);
    }
    for (const name of response.removed_resources ?? []) events.onRemoved(name);
    events.onSettled();
    return confirmation;
  } catch (error) {
    return { ...confirmation, error_detail: { code: status.INVALID_ARGUMENT, message: String(error) } };
  }
}

function clientOf({ address, roots, serverName, credential }: DeltaStreamRequest): Client {
  const tls =
    credential.kind === "certificate"
      ? credentials.createSsl(Buffer.from(roots), Buffer.from(credential.key.pem()), Buffer.from(credential.chain))
      : credentials.createSsl(Buffer.from(roots));
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return new Client(`${host}:${address.port}`, tls, {
    "grpc.ssl_target_name_override": serverName,
    "grpc.default_authority": serverName,
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.max_receive_message_length": -1,
  } satisfies ChannelOptions);
}

function metadataOf({ credential, clusterId }: DeltaStreamRequest): Metadata {
  const metadata = new Metadata();
  if (credential.kind === "token") metadata.set("authorization", `Bearer ${credential.token}`);
  if (clusterId !== undefined) metadata.set("clusterid", clusterId);
  return metadata;
}

/** A stream on which the agent only talks. */
export interface ReportStream {
  /** What the application lacks; undefined: nothing. */
  send(error: string | undefined): void;
  /** Ends the stream without a word to `onEnd`. */
  close(): void;
}

const HEALTH_TYPE = "type.googleapis.com/istio.v1.HealthInformation";

/** Opens a stream for reports of the application's health, as Istio's agents send them: a request that is never answered. */
export function openReportStream(
  request: Omit<DeltaStreamRequest, "typeUrl" | "held">,
  onEnd: (error: string | undefined) => void,
): ReportStream {
  const client = clientOf({ ...request, typeUrl: HEALTH_TYPE, held: {} });
  const call: Stream = client.makeBidiStreamRequest(
    METHOD,
    (value: DeltaRequest) => Buffer.from(encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", value)),
    (bytes: Buffer) => decodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", bytes),
    metadataOf({ ...request, typeUrl: HEALTH_TYPE, held: {} }),
  );
  let isOpen = true;
  let node: typeof request.node | undefined = request.node;
  const close = (): void => {
    isOpen = false;
    call.cancel();
    client.close();
  };
  const end = (error: string | undefined): void => {
    if (!isOpen) return;
    close();
    onEnd(error);
  };
  call.on("data", () => undefined);
  call.on("error", (error: Error) => end(error.message));
  call.on("end", () => end(undefined));
  return {
    send(error) {
      if (!isOpen) return;
      const detail = error === undefined ? {} : { error_detail: { code: 500, message: error } };
      call.write({ type_url: HEALTH_TYPE, ...(node === undefined ? {} : { node }), ...detail });
      node = undefined;
    },
    close,
  };
}
