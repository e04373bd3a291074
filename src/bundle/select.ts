import { valueAt } from "../base/field-path.ts";
import { parseLabelQuery } from "../base/label-query.ts";
import type { ListOptions } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";

/** The objects of a list that a server would have answered with. Throws SyntaxError for a selector that is none. */
export function selected(
  objects: readonly KubeObject[],
  { namespace, labelSelector, fieldSelector }: ListOptions,
): readonly KubeObject[] {
  const labels = parseLabelQuery(labelSelector ?? "");
  const fields = (fieldSelector ?? "").split(",").filter((part) => part !== "");
  return objects.filter(
    (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) &&
      labels(object.metadata.labels ?? {}) &&
      fields.every((part) => holds(object, part)),
  );
}

function holds(object: KubeObject, requirement: string): boolean {
  const [, path = "", not, value = ""] = /^([^!=]+)(!?)==?(.*)$/.exec(requirement) ?? [];
  const found = valueAt(object, path.split("."));
  const text = typeof found === "string" ? found : found === undefined || found === null ? "" : JSON.stringify(found);
  return (text === value) === (not === "");
}
