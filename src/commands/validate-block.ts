import type { Finding } from "../diagnostics/finding.ts";
import { isClusterScoped } from "../resources/files-world.ts";
import { readManifests, type SourceText, type SourcedObject } from "../resources/manifests.ts";
import type { KubeObject } from "../resources/object.ts";
import { validateObject } from "../validation/index.ts";

/** What became of a block: findings alone, the objects are forgotten. */
export interface BlockResult {
  readonly objects: number;
  readonly findings: readonly Finding[];
}

/**
 * Reads and validates the objects of a block, each alone; `namespace` is that of objects that name none. One thread does it all:
 * a second one was a quarter faster for 50,000 objects, for half as much again of processor time and twice the memory.
 */
export function validateBlock(source: SourceText, namespace: string): BlockResult {
  const { objects, findings } = readManifests([source]);
  const found = [...findings];
  for (const sourced of objects) found.push(...findingsOf(sourced, namespace));
  return { objects: objects.length, findings: found };
}

function findingsOf({ object, position }: SourcedObject, namespace: string): readonly Finding[] {
  return validateObject(complete(object, namespace)).map((each) => ({ ...each, position: position(each.path) }));
}

function complete(object: KubeObject, namespace: string): KubeObject {
  const { namespace: own } = object.metadata;
  if ((own !== undefined && own !== "") || isClusterScoped(object)) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}
