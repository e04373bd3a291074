import { type FollowDeps, followResources } from "../delta-follow.ts";
import type { NameTable } from "./names.ts";

export interface NamesStreamDeps extends Pick<FollowDeps, "config" | "certificate" | "log"> {
  readonly onTable: (table: NameTable) => void;
}

/** Follows the name table that meshd has for this proxy; while meshd is away the last table stands. Returns how to end it. */
export function followNames({ onTable, ...deps }: NamesStreamDeps): () => void {
  return followResources({
    ...deps,
    typeUrl: "type.googleapis.com/istio.networking.nds.v1.NameTable",
    what: "names",
    onResource: (_name, resource) => onTable(resource as NameTable),
    onRemoved: () => onTable({}),
  });
}
