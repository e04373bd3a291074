import { seconds } from "../duration.ts";
import type { RouteFeature } from "./types.ts";

/**
 * Always said, since Envoy's own is 15 s. A client's grpc-timeout counts up to it (0: as long as the client says). That is
 * `max_grpc_timeout`, deprecated as it is: with its successor `max_stream_duration` Envoy no longer reads `timeout` at all.
 */
export const timeoutMs: RouteFeature = {
  key: "timeoutMs",
  forward: ({ timeoutMs: ms = 0 }) => ({ timeout: seconds(ms), max_grpc_timeout: seconds(ms) }),
};
