import ipaddr from "ipaddr.js";
import type { Messages } from "../../wire/codec.ts";

/** An address or a range in CIDR notation; undefined when it is neither. */
export function cidrRange(text: string): Messages["envoy.config.core.v3.CidrRange"] | undefined {
  const [address = "", length, ...rest] = text.split("/");
  if (rest.length > 0 || !ipaddr.isValid(address)) return undefined;
  const bits = ipaddr.parse(address).kind() === "ipv4" ? 32 : 128;
  const prefix = length === undefined ? bits : Number(length);
  if (length === "" || !Number.isInteger(prefix) || prefix < 0 || prefix > bits) return undefined;
  return { address_prefix: address, prefix_len: prefix };
}
