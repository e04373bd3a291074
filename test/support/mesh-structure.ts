import { readValues } from "../../src/resources/yaml-values.ts";

/**
 * The structure of a mesh: the kinds it has and the fields that its objects use, without names, numbers of items and values.
 * Two meshes with the same structure are clones, however their objects are called.
 */
export function structureOf(texts: readonly string[]): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const value of texts.flatMap((text) => readValues(text))) {
    const { kind, apiVersion } = value as { readonly kind: string; readonly apiVersion: string };
    paths.add(`${apiVersion} ${kind}`);
    walk(value, kind, paths);
  }
  return paths;
}

/** Fields whose keys are chosen by users. */
const FREE = new Set(["labels", "annotations", "matchLabels", "selector", "data", "portLevelMtls", "to", "ports"]);

function walk(value: unknown, path: string, paths: Set<string>): void {
  if (Array.isArray(value)) for (const item of value) walk(item, `${path}[]`, paths);
  else if (typeof value === "object" && value !== null)
    for (const [key, child] of Object.entries(value)) {
      const field = FREE.has(path.slice(path.lastIndexOf(".") + 1)) ? `${path}.*` : `${path}.${key}`;
      paths.add(field);
      walk(child, field, paths);
    }
}

/** How much two structures have in common: 0 nothing, 1 all. */
export function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((path) => b.has(path)).length;
  return shared / (a.size + b.size - shared);
}
