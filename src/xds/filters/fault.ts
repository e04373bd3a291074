import { compact } from "../../base/compact.ts";
import type { Fault } from "../../ir/route-features.ts";
import { type TypedAny, typed } from "../../wire/codec.ts";
import { seconds } from "../duration.ts";
import { fraction } from "../fraction.ts";
import type { HttpFilter } from "./types.ts";

/** Injected delays and aborts. Off (and free) until a route has a fault of its own (feature `fault`). */
export const fault: HttpFilter = {
  name: "envoy.filters.http.fault",
  key: "fault",
  appliesTo: (chain) => chain.direction !== "inbound",
  filter: () => ({
    name: "envoy.filters.http.fault",
    disabled: true,
    typed_config: typed("envoy.extensions.filters.http.fault.v3.HTTPFault", {}),
  }),
  perRoute: ({ fault: injected }) => (injected === undefined ? undefined : faultOf(injected)),
};

function faultOf({ delay, abort }: Fault): TypedAny {
  return typed(
    "envoy.extensions.filters.http.fault.v3.HTTPFault",
    compact({
      delay: delay && { fixed_delay: seconds(delay.ms), percentage: fraction(delay.share) },
      abort: abort && {
        ...("grpc" in abort.status ? { grpc_status: abort.status.grpc } : { http_status: abort.status.http }),
        percentage: fraction(abort.share),
      },
    }),
  );
}
