import type { Messages } from "../wire/codec.ts";

/** A share in millionths, as Envoy writes it. */
export function fraction(share: number): Messages["envoy.type.v3.FractionalPercent"] {
  return { numerator: share, denominator: "MILLION" };
}
