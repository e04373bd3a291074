import type { FilterChain, XdsOptions } from "./types.ts";

/** Key of `filter_metadata` that says since when less is trusted. Envoy passes it through; that it changes is what counts. */
const TRUST = "mesh.trust";

/**
 * The filter chain or cluster that lets peers in by the mesh's roots, as another one since a root went or a certificate was
 * revoked: Envoy then drains connections that stand there. Roots alone, which come by secrets, close nothing.
 */
export function sinceTrust<T extends Pick<FilterChain, "metadata">>(resource: T, { trustSince }: XdsOptions): T {
  if (trustSince === undefined) return resource;
  const { metadata } = resource;
  const said = { ...metadata?.filter_metadata, [TRUST]: { since: trustSince } };
  return { ...resource, metadata: { ...metadata, filter_metadata: said } };
}
