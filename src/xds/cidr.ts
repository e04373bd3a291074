import type { Messages } from "../wire/codec.ts";

/** `10.0.0.0/8`, or one address, as Envoy writes it. */
export function cidrRange(text: string): Messages["envoy.config.core.v3.CidrRange"] {
  const [address = "", length] = text.split("/");
  const whole = address.includes(":") ? 128 : 32;
  return { address_prefix: address, prefix_len: length === undefined ? whole : Number(length) };
}
