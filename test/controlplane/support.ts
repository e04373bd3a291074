import { createHash } from "node:crypto";
import type { EncodedResource, ResourceTable, Snapshot } from "../../src/controlplane/resource-table.ts";
import type { SubscriptionRequest } from "../../src/controlplane/subscription.ts";
import { frameResource } from "../../src/wire/splice.ts";
import type { XdsKind } from "../../src/xds/types.ts";

/** A table of resources from `name: content`. */
export function table(contents: Readonly<Record<string, string>>): ResourceTable {
  return new Map(Object.entries(contents).map(([name, content]) => [name, encodedResource(name, content)]));
}

function encodedResource(name: string, content: string): EncodedResource {
  const version = versionOf(content);
  return { name, version, ...frameResource({ name, version }, "type.googleapis.com/test", Buffer.from(content)) };
}

export function versionOf(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

const empty: ResourceTable = new Map();

/** A snapshot with these tables, the others empty. */
export function snapshot(tables: Partial<Record<XdsKind, Readonly<Record<string, string>>>>): Snapshot {
  const of = (kind: XdsKind): ResourceTable => (tables[kind] === undefined ? empty : table(tables[kind]));
  return {
    cluster: of("cluster"),
    endpoint: of("endpoint"),
    listener: of("listener"),
    route: of("route"),
    extension: of("extension"),
    secret: of("secret"),
    nametable: of("nametable"),
  };
}

/** A request with nothing in it but what is given. */
export function request(parts: Partial<SubscriptionRequest> = {}): SubscriptionRequest {
  return { subscribe: [], unsubscribe: [], initialVersions: {}, nonce: "", error: undefined, ...parts };
}
