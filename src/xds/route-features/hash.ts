import { compact } from "../../base/compact.ts";
import type { HashKey } from "../../ir/route-features.ts";
import { seconds } from "../duration.ts";
import type { EnvoyForward, RouteFeature } from "./types.ts";

type Policy = NonNullable<EnvoyForward["hash_policy"]>[number];

/** What a request's hash is made of. A cookie without ttl is only read; ttl 0 makes one for the session. */
export const hash: RouteFeature = {
  key: "hash",
  forward: ({ hash: keys = [] }) => (keys.length === 0 ? {} : { hash_policy: keys.map(policy) }),
};

function policy(key: HashKey): Policy {
  switch (key.kind) {
    case "header":
      return { header: { header_name: key.name } };
    case "source-ip":
      return { connection_properties: { source_ip: true } };
    case "query":
      return { query_parameter: { name: key.name } };
    case "cookie":
      return {
        cookie: compact({
          name: key.name,
          ttl: key.ttlMs === undefined ? undefined : seconds(key.ttlMs),
          path: key.path === "" ? undefined : key.path,
          attributes:
            key.attributes.length === 0 ? undefined : key.attributes.map(([name, value]) => ({ name, value })),
        }),
      };
  }
}
