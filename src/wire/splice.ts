import { encodedAny, encodeMessage } from "./codec.ts";

const RESPONSE = "envoy.service.discovery.v3.DeltaDiscoveryResponse";

/** A resource as it stands in a response of delta xDS, its field's tag included, and the message inside: one piece of memory. */
export interface FramedResource {
  readonly framed: Uint8Array;
  readonly bytes: Uint8Array;
}

/** Encodes what is around a message's bytes once, so that a response is made by copying alone. */
export function frameResource(
  resource: { readonly name: string; readonly version: string },
  typeUrl: string,
  bytes: Uint8Array,
): FramedResource {
  const around = { ...resource, resource: encodedAny(typeUrl, bytes) };
  const written = encodeMessage(RESPONSE, { resources: [around] });
  // What the writer hands out may be a window on twice the memory.
  const framed = Uint8Array.from(written);
  // The fields of a resource go out by their numbers: the name comes behind the message, and ends it.
  const end = framed.length - encodeMessage("envoy.service.discovery.v3.Resource", { name: resource.name }).length;
  return { framed, bytes: framed.subarray(end - bytes.length, end) };
}

/** A response out of framed resources: a single copy of each. */
export function spliceResponse(
  head: {
    readonly typeUrl: string;
    readonly nonce: string;
    readonly removed: readonly string[];
    readonly controlPlane: string;
  },
  resources: readonly Pick<FramedResource, "framed">[],
): Uint8Array {
  const first = encodeMessage(RESPONSE, {
    type_url: head.typeUrl,
    nonce: head.nonce,
    removed_resources: head.removed,
    control_plane: { identifier: head.controlPlane },
  });
  return Buffer.concat([first, ...resources.map(({ framed }) => framed)]);
}
