import { Client, type ClientDuplexStream, credentials, Metadata } from "@grpc/grpc-js";
import { decodeMessage, encodeMessage, type Messages } from "../../../src/wire/codec.ts";
import { waitFor } from "../wait.ts";

const SERVICE = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

type Sotw = Messages["envoy.service.discovery.v3.DiscoveryResponse"];
type Delta = Messages["envoy.service.discovery.v3.DeltaDiscoveryResponse"];

/** What a stream of either protocol says and hears. */
interface Protocols {
  readonly sotw: { readonly request: Messages["envoy.service.discovery.v3.DiscoveryRequest"]; readonly response: Sotw };
  readonly delta: {
    readonly request: Messages["envoy.service.discovery.v3.DeltaDiscoveryRequest"];
    readonly response: Delta;
  };
}

/** One ADS stream of a test, as whoever relays for an Envoy opens it: a token instead of a certificate. */
export interface XdsClient<P extends keyof Protocols> {
  send(request: Protocols[P]["request"]): void;
  /** The next response of a type that was not taken yet. */
  next(typeUrl: string): Promise<Protocols[P]["response"]>;
  /** Responses of a type that wait to be taken. */
  waiting(typeUrl: string): number;
  /** How the server ended the stream; undefined while it is open. */
  ended(): { readonly code: number; readonly details: string } | undefined;
  close(): void;
}

/** Opens a stream with these metadata. */
export function openXds<P extends keyof Protocols>(
  protocol: P,
  to: { readonly port: number; readonly roots: string; readonly serverName: string },
  headers: Readonly<Record<string, string>>,
): XdsClient<P> {
  const client = new Client(`127.0.0.1:${to.port}`, credentials.createSsl(Buffer.from(to.roots)), {
    "grpc.ssl_target_name_override": to.serverName,
    "grpc.use_local_subchannel_pool": 1,
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const isDelta = protocol === "delta";
  const [method, asked, answered] = isDelta
    ? (["DeltaAggregatedResources", "DeltaDiscoveryRequest", "DeltaDiscoveryResponse"] as const)
    : (["StreamAggregatedResources", "DiscoveryRequest", "DiscoveryResponse"] as const);
  const same = (bytes: Buffer): Buffer => bytes;
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    `${SERVICE}/${method}`,
    same,
    same,
    metadata,
  );
  const responses: Protocols[P]["response"][] = [];
  let end: { code: number; details: string } | undefined;
  call.on("data", (bytes: Buffer) => responses.push(decodeMessage(`envoy.service.discovery.v3.${answered}`, bytes)));
  call.on("error", () => undefined);
  call.on("status", (status: { code: number; details: string }) => {
    end = status;
  });
  const of = (typeUrl: string): readonly Protocols[P]["response"][] =>
    responses.filter(({ type_url: type }) => type === typeUrl);
  return {
    send: (request) => call.write(Buffer.from(encodeMessage(`envoy.service.discovery.v3.${asked}`, request))),
    async next(typeUrl) {
      const found = await waitFor(() => of(typeUrl)[0], { what: `a response of ${typeUrl}` });
      responses.splice(responses.indexOf(found), 1);
      return found;
    },
    waiting: (typeUrl) => of(typeUrl).length,
    ended: () => end,
    close() {
      call.cancel();
      client.close();
    },
  };
}
