import { fraction } from "../fraction.ts";
import type { RouteFeature } from "./types.ts";

/** Copies keep their Host header: the other service is to see what the first one sees. */
export const mirrors: RouteFeature = {
  key: "mirrors",
  forward: ({ mirrors: copies = [] }) =>
    copies.length === 0
      ? {}
      : {
          request_mirror_policies: copies.map(({ cluster, share }) => ({
            cluster,
            runtime_fraction: { default_value: fraction(share) },
            trace_sampled: false,
            disable_shadow_host_suffix_append: true,
          })),
        },
};
