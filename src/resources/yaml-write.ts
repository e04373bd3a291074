import { dump } from "js-yaml";

/** YAML of plain data, in the order of its keys; strings that Kubernetes' YAML 1.1 would read as something else are quoted. */
export function toYaml(value: unknown): string {
  return dump(value, { noRefs: true, lineWidth: -1 });
}
