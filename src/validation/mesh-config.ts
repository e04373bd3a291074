import { finding } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import type { ConfigMap } from "../resources/core.ts";
import { kindOf } from "../resources/kinds.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import { readValues, YamlSyntaxError } from "../resources/yaml-values.ts";
import { schemaProblems } from "./schema.ts";

/** What is wrong with the mesh configuration in ConfigMap `istio` (or `istio-REVISION`), key `mesh`. */
export function meshConfigFindings(object: KubeObject): readonly Finding[] {
  if (kindOf(object) !== "ConfigMap" || !/^istio(?:-|$)/.test(object.metadata.name)) return [];
  const text = (object as ConfigMap).data?.["mesh"];
  if (typeof text !== "string") return [];
  const place = { object: refOf(object), path: ["data", "mesh"] };
  try {
    const [value = {}] = readValues(text);
    return schemaProblems("MeshConfig", value, "mesh").map(({ keyword, problem, hint }) =>
      finding("IST0106", place, { rule: `schema-${keyword}`, problem, hint }),
    );
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    const problem = `mesh: cannot be read as YAML: ${error.message} (line ${error.line} of the text)`;
    return [finding("IST0106", place, { rule: "mesh-config-yaml", problem, hint: "" })];
  }
}
