import type { Finding } from "../diagnostics/finding.ts";
import { isClusterScoped } from "../resources/files-world.ts";
import { readManifests, type SourceText, type SourcedObject } from "../resources/manifests.ts";
import type { KubeObject } from "../resources/object.ts";
import { validateObject } from "../validation/index.ts";

/** A block of text, and the namespace of its objects that name none. What a worker is sent. */
export interface ValidateTask {
  readonly source: SourceText;
  readonly namespace: string;
}

/** What became of a block. What a worker answers: findings alone come back, the objects are forgotten. */
export interface ValidateResult {
  readonly objects: number;
  readonly findings: readonly Finding[];
}

/** Reads and validates the objects of a block, each alone. */
export function validateBlock({ source, namespace }: ValidateTask): ValidateResult {
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
