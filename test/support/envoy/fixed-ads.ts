import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { decodeMessage, encodeAny, encodedAny, encodeMessage, type Messages } from "../../../src/wire/codec.ts";
import type { Resources } from "../../../src/xds/resources.ts";
import { TYPE_URLS, type XdsKind } from "../../../src/xds/types.ts";

type Request = Messages["envoy.service.discovery.v3.DeltaDiscoveryRequest"];

/** A delta ADS server that answers each first request of a type with everything it has of it, for one proxy. */
export interface FixedAds {
  /** Sends the resources anew (all of them, under a new version). */
  update(resources: Resources): void;
  /** What Envoy refused, in its words. */
  readonly refusals: readonly string[];
  close(): void;
}

/** Serves `first` on a unix socket, in plaintext: what is tested is what the bytes say, not who may have them. */
export async function startFixedAds(socketPath: string, first: Resources): Promise<FixedAds> {
  let resources = first;
  let version = 1;
  const refusals: string[] = [];
  const streams = new Map<ServerDuplexStream<Request, Uint8Array>, Set<XdsKind>>();
  const server = new Server();
  const answer = (call: ServerDuplexStream<Request, Uint8Array>, kind: XdsKind): void => {
    call.write(response(resources, kind, version));
  };
  server.addService(
    {
      delta: {
        path: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
        requestStream: true,
        responseStream: true,
        requestSerialize: (bytes: Buffer) => bytes,
        requestDeserialize: (bytes: Buffer) => decodeMessage("envoy.service.discovery.v3.DeltaDiscoveryRequest", bytes),
        responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    },
    {
      delta: (call: ServerDuplexStream<Request, Uint8Array>) => {
        const seen = new Set<XdsKind>();
        streams.set(call, seen);
        call.on("error", () => streams.delete(call));
        call.on("end", () => {
          streams.delete(call);
          call.end();
        });
        call.on("data", (request: Request) => {
          if (request.error_detail !== undefined) refusals.push(request.error_detail.message ?? "");
          const kind = (Object.keys(TYPE_URLS) as XdsKind[]).find((name) => TYPE_URLS[name] === request.type_url);
          const asks = !seen.has(kind ?? "secret") || (request.resource_names_subscribe ?? []).length > 0;
          if (kind === undefined || !asks) return;
          seen.add(kind);
          answer(call, kind);
        });
      },
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    refusals,
    update(next) {
      resources = next;
      version += 1;
      for (const [call, seen] of streams) for (const kind of seen) answer(call, kind);
    },
    close: () => server.forceShutdown(),
  };
}

function response(resources: Resources, kind: XdsKind, version: number): Uint8Array {
  return encodeMessage("envoy.service.discovery.v3.DeltaDiscoveryResponse", {
    type_url: TYPE_URLS[kind],
    nonce: `${kind}-${version}`,
    resources: resources.names(kind).map(({ name }) => {
      const resource = resources.resource(kind, name);
      if (resource === undefined) throw new Error(`no ${kind} ${name}`);
      const { typeUrl, bytes } = encodeAny(resource);
      return { name, version: String(version), resource: encodedAny(typeUrl, bytes) };
    }),
  });
}
