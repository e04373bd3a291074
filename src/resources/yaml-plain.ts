import { DUMP_SCHEMA, dump } from "js-yaml";
import { readCommon, UNCOMMON } from "./yaml-common.ts";
import { plainTag, readValues } from "./yaml-values.ts";

/** One YAML document as plain data, for texts inside objects (ConfigMap keys, annotations). Throws YamlSyntaxError. */
export function parseYaml(text: string): unknown {
  const value = readCommon(text);
  return value === UNCOMMON ? readValues(text)[0] : value;
}

const schema = DUMP_SCHEMA.withTags(plainTag);

/** YAML of plain data, in the order of its keys; strings that Kubernetes would read as something else are quoted. */
export function toYaml(value: unknown): string {
  return dump(value, { noRefs: true, lineWidth: -1, schema });
}

/** The same with every object that stands in several places written in the first; the others have an alias. */
export function toYamlWithAliases(value: unknown): string {
  return dump(value, { noRefs: false, lineWidth: -1, schema });
}
