import { createHash } from "node:crypto";
import type { EncodedResource, ResourceTable, Snapshot } from "../../src/controlplane/resource-table.ts";
import type { SubscriptionRequest } from "../../src/controlplane/subscription.ts";
import type { XdsKind } from "../../src/xds/types.ts";

/** A table of resources from `name: content`. */
export function table(contents: Readonly<Record<string, string>>): ResourceTable {
  const entries = Object.entries(contents).map(([name, content]): [string, EncodedResource] => [
    name,
    { name, version: versionOf(content), bytes: Buffer.from(content) },
  ]);
  return new Map(entries);
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
