import type { FramedResource } from "../wire/splice.ts";
import type { XdsKind } from "../xds/types.ts";

/** One resource ready to be sent: the same object for every proxy that is served the same bytes. */
export interface EncodedResource extends FramedResource {
  readonly name: string;
  /** Hash of the content: equal versions are equal bytes. */
  readonly version: string;
}

/** The resources of one type, by name. A new object means that something changed. */
export type ResourceTable = ReadonlyMap<string, EncodedResource>;

/** Everything that one proxy is to run. Tables that did not change are the same objects as before. */
export type Snapshot = Readonly<Record<XdsKind, ResourceTable>>;

/** No resource of a type. */
export const NO_RESOURCES: ResourceTable = new Map();

/** The types in push order. */
export const KINDS: readonly XdsKind[] = [
  "cluster",
  "endpoint",
  "listener",
  "route",
  "extension",
  "secret",
  "nametable",
];
