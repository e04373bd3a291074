import { compact } from "../../base/compact.ts";
import { durationMs } from "../../base/duration.ts";
import type { Fault } from "../../ir/route-features.ts";
import { grpcStatusCode } from "../../base/rpc-status.ts";
import type { HttpRule } from "../http-match.ts";
import { shareOf } from "../share.ts";
import type { RouteFeature } from "./types.ts";

type Spec = NonNullable<HttpRule["fault"]>;

/** `fault`: delays and errors on purpose. Without a percentage nothing happens to any request, as in Istio. */
export const fault: RouteFeature<"fault"> = {
  key: "fault",
  fields: ["fault"],
  of(_, { rule }) {
    if (rule.fault === undefined) return undefined;
    const made: Fault = compact({ delay: delayOf(rule.fault.delay), abort: abortOf(rule.fault.abort) });
    return Object.keys(made).length === 0 ? undefined : made;
  },
};

function delayOf(spec: Spec["delay"]): Fault["delay"] {
  const ms = spec?.fixedDelay === undefined ? undefined : durationMs(spec.fixedDelay);
  if (spec === undefined || ms === undefined) return undefined;
  const share = shareOf(spec.percentage, shareOf({ value: spec.percent ?? 0 }, 0));
  return share === 0 ? undefined : { ms, share };
}

function abortOf(spec: Spec["abort"]): Fault["abort"] {
  if (spec === undefined) return undefined;
  const share = shareOf(spec.percentage, 0);
  if (share === 0) return undefined;
  const grpc = spec.grpcStatus === undefined ? undefined : grpcStatusCode(spec.grpcStatus);
  if (grpc !== undefined) return { share, status: { grpc } };
  return spec.httpStatus === undefined ? undefined : { share, status: { http: spec.httpStatus } };
}
