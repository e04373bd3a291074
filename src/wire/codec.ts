import type { Messages, TypedAny } from "../gen/envoy/types.ts";
import { MeshError } from "../base/errors.ts";
import { once } from "../base/once.ts";
import { decode } from "./decode.ts";
import { ENCODED, Encoder, WHOLE } from "./encode.ts";
import { plans } from "./plan.ts";

export type { Json, Messages, TypedAny } from "../gen/envoy/types.ts";

/** Full name of a message we know, e.g. `envoy.config.cluster.v3.Cluster`. */
export type MessageName = keyof Messages;

const PREFIX = "type.googleapis.com/";

/**
 * The bytes of a message given in JSON form (original field names, durations as "5s", wrappers as plain values, `@type` in
 * an Any). Equal content gives equal bytes, whatever the order of keys. Throws MeshError `wire-encode` with the path of the
 * first field that is unknown, doubled in its oneof, or of the wrong type: nothing is dropped silently.
 */
export function encodeMessage<N extends MessageName>(type: N, value: Messages[N]): Uint8Array {
  const encoder = new Encoder(type);
  encoder.message(type, value);
  return encoder.finish();
}

/** The JSON form of a message's bytes. Throws MeshError `wire-decode` for broken bytes; unknown fields are passed over. */
export function decodeMessage<N extends MessageName>(type: N, bytes: Uint8Array): Messages[N] {
  return decode(type, bytes) as Messages[N];
}

/** A message as an Any in JSON form: `{ "@type": "type.googleapis.com/<type>", ...value }`. */
export function typed<N extends MessageName>(type: N, value: Messages[N]): TypedAny {
  return { "@type": PREFIX + type, ...(value as object) };
}

/** An Any of nothing, for messages that only want one to be there. */
export const EMPTY_ANY = {} as TypedAny;

/** A message that is already encoded, as an Any: its bytes are spliced in, not decoded. */
export function encodedAny(typeUrl: string, bytes: Uint8Array): TypedAny {
  return { "@type": typeUrl, "@bytes": bytes };
}

/** A message that is already encoded, standing for its JSON form inside a larger message: its bytes are spliced in. */
export function encoded<N extends MessageName>(bytes: Uint8Array): Messages[N] {
  return bytes as unknown as Messages[N];
}

/** An Any that stands in many messages: it is encoded once, when first needed. Reads and prints like the given one. */
export function reused(any: TypedAny): TypedAny {
  const bytes = once(() => encodeAny(any).bytes);
  return Object.defineProperty({ ...any }, ENCODED, { get: bytes });
}

/** A message that stands in many larger ones: it is encoded once, when first needed. Reads and prints like the given one; a copy of it is plain. */
export function reusedMessage<N extends MessageName>(type: N, message: Messages[N]): Messages[N] {
  const bytes = once(() => encodeMessage(type, message));
  return Object.defineProperty({ ...(message as object) }, WHOLE, { get: bytes }) as Messages[N];
}

/** The type URL of an Any and the bytes of the message inside. Throws as encodeMessage does. */
export function encodeAny(value: TypedAny): { typeUrl: string; bytes: Uint8Array } {
  const type = typeOfUrl(value["@type"]);
  return { typeUrl: value["@type"], bytes: encodeMessage(type, value as unknown as Messages[MessageName]) };
}

/** The JSON form of the message that a type URL and bytes stand for. Throws when the type is not one we know. */
export function decodeAny(typeUrl: string, bytes: Uint8Array): TypedAny {
  return { "@type": typeUrl, ...(decodeMessage(typeOfUrl(typeUrl), bytes) as object) };
}

/** The message name in a type URL. Throws MeshError `wire-type` when src/gen/envoy does not know it. */
export function typeOfUrl(typeUrl: string): MessageName {
  const name = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
  if (plans().message(name) === undefined)
    throw new MeshError("wire-type", `unknown type ${typeUrl}`, {
      hint: "add it to scripts/gen-envoy/roots.ts",
    });
  return name as MessageName;
}
