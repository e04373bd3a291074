import { pathText } from "../base/field-path.ts";
import type { Provenance } from "../ir/provenance.ts";
import type { ObjectRef } from "../ir/refs.ts";
import type { Json } from "../wire/codec.ts";

/** Key of `filter_metadata` under which a resource says why it is as it is. Envoy passes it through; nothing in it decides. */
export const WHY = "mesh.why";

/** How many losers a resource names: the first ones, which came nearest. */
const MOST = 8;

/** Provenance of the whole, and of parts that another object or field decided. */
export interface Why {
  readonly provenance: Provenance | undefined;
  readonly parts?: Readonly<Record<string, Provenance | undefined>> | undefined;
}

/**
 * What `proxy-config --why` and `trace-route` read back: `{ from, field, lost, parts }`, texts all. undefined for what comes from a
 * Service alone, which the name says already: most resources of a mesh are such, and bytes count.
 */
export function whyMetadata({ provenance, parts = {} }: Why): Readonly<Record<string, Json>> | undefined {
  if (provenance === undefined) return undefined;
  const { from, path, lost } = provenance;
  const others = Object.entries(parts).flatMap(([name, part]) =>
    part === undefined || isWithin(part, provenance)
      ? []
      : [[name, `${objectText(part.from)} ${pathText(part.path)}`] as const],
  );
  if (from.kind === "Service" && lost.length === 0 && others.length === 0) return undefined;
  const losers = lost
    .slice(0, MOST)
    .map((loser) => `${objectText(loser.from)} ${pathText(loser.path)}: ${loser.reason}`.replace(" :", ":"));
  if (lost.length > MOST) losers.push(`${lost.length - MOST} more`);
  return {
    [WHY]: {
      from: objectText(from),
      ...(path.length === 0 ? {} : { field: pathText(path) }),
      ...(losers.length === 0 ? {} : { lost: losers }),
      ...(others.length === 0 ? {} : { parts: Object.fromEntries(others) }),
    },
  };
}

/** The same as a `metadata` field of its own; nothing when there is nothing to say. */
export function whyField(provenance: Provenance | undefined): {
  readonly metadata?: { readonly filter_metadata: Readonly<Record<string, Readonly<Record<string, Json>>>> };
} {
  const said = whyMetadata({ provenance });
  return said === undefined
    ? {}
    : { metadata: { filter_metadata: said as Readonly<Record<string, Readonly<Record<string, Json>>>> } };
}

/** `Kind namespace/name`, as messages name objects. */
function objectText({ kind, namespace, name }: ObjectRef): string {
  return namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** A part that stands below the whole, in the same object, says nothing new. */
function isWithin(part: Provenance, whole: Provenance): boolean {
  if (objectText(part.from) !== objectText(whole.from)) return false;
  return whole.path.every((segment, index) => part.path[index] === segment);
}
