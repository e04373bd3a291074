import { seconds } from "../duration.ts";
import type { RouteFeature } from "./types.ts";

/** Always said, since Envoy's own is 15 s; a client's grpc-timeout counts up to it (0: as long as the client says). */
export const timeoutMs: RouteFeature = {
  key: "timeoutMs",
  forward: ({ timeoutMs: ms = 0 }) => ({
    timeout: seconds(ms),
    max_stream_duration: { grpc_timeout_header_max: seconds(ms) },
  }),
};
