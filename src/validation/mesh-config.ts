import { pathText } from "../base/field-path.ts";
import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import { idleMeshFields } from "../model/mesh-config-fields.ts";
import { idleProxySettings } from "../model/proxy-config-fields.ts";
import type { ConfigMap } from "../resources/core.ts";
import { kindOf } from "../resources/kinds.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import { readValues, YamlSyntaxError } from "../resources/yaml-values.ts";
import { meshTelemetryProblems } from "./mesh-telemetry.ts";
import { schemaProblems } from "./schema.ts";

/** Annotation of pods with settings of their proxy, as YAML. */
const PROXY_CONFIG_ANNOTATION = "proxy.istio.io/config";

/**
 * What is wrong with the mesh's own configuration in an object: ConfigMap `istio` (or `istio-REVISION`), annotation
 * proxy.istio.io/config of a pod or a workload's template, and documents of kind IstioOperator. Paths go on inside the text, so
 * that the place in the file is found.
 */
export function meshConfigFindings(object: KubeObject): readonly Finding[] {
  if (object.apiVersion.startsWith("install.istio.io/")) return operatorFindings(object);
  if (object.kind === "ConfigMap" && kindOf(object) === "ConfigMap")
    return /^istio(?:-|$)/.test(object.metadata.name) ? configMap(object) : [];
  return annotations(object);
}

function configMap(object: KubeObject): readonly Finding[] {
  const data = (object as ConfigMap).data ?? {};
  return [
    ...textFindings(object, ["data", "mesh"], data["mesh"], { schema: "MeshConfig", root: "mesh" }),
    ...textFindings(object, ["data", "meshNetworks"], data["meshNetworks"], {
      schema: "MeshNetworks",
      root: "meshNetworks",
    }),
  ];
}

interface Wanted {
  readonly schema: string;
  /** What messages call the text. */
  readonly root: string;
}

function textFindings(object: KubeObject, path: FieldPath, text: unknown, wanted: Wanted): readonly Finding[] {
  if (typeof text !== "string") return [];
  try {
    const [value] = readValues(text);
    return valueFindings(object, path, value ?? {}, wanted);
  } catch (error) {
    if (!(error instanceof YamlSyntaxError)) throw error;
    const problem = `${wanted.root}: cannot be read as YAML: ${error.message} (line ${error.line} of the text)`;
    return [finding("IST0106", { object: refOf(object), path }, { rule: "mesh-config-yaml", problem, hint: "" })];
  }
}

function valueFindings(object: KubeObject, path: FieldPath, value: unknown, wanted: Wanted): readonly Finding[] {
  return [
    ...idleFindings(object, path, value, wanted),
    ...meshFindings(object, path, value, wanted),
    ...schemaFindings(object, path, value, wanted),
  ];
}

/** Where a mesh configuration stands in these texts. */
const MESH_CONFIG: Readonly<Record<string, readonly string[]>> = { MeshConfig: [], IstioOperator: ["meshConfig"] };

/** Formats that Envoy would refuse, and what does nothing: providers, and fields of the mesh itself. */
function meshFindings(
  object: KubeObject,
  path: FieldPath,
  value: unknown,
  { schema, root }: Wanted,
): readonly Finding[] {
  const below = MESH_CONFIG[schema];
  if (below === undefined) return [];
  const config = below.reduce<unknown>(
    (at, step) => (at as Readonly<Record<string, unknown>> | undefined)?.[step],
    value,
  );
  const fields = idleMeshFields(config).map(({ name, why }) => ({ path: [name], problem: why, idle: true as const }));
  return [...fields, ...meshTelemetryProblems(config)].map(({ path: inner, problem, idle }) => {
    const field = pathText([...below, ...inner]);
    const place = { object: refOf(object), path: [...path, ...below, ...inner] };
    if (idle !== true)
      return finding("IST0106", place, {
        rule: "mesh-config-log-format",
        problem: `${root}.${field}: ${problem}`,
        hint: FORMAT_HINT,
      });
    const words = `accepted, has no effect: ${field} (${problem})`;
    return finding("IST0133", place, { rule: "field-without-effect", problem: words, hint: "Do not rely on it." });
  });
}

const FORMAT_HINT = "Write operators of Envoy's access logs, as %RESPONSE_CODE%.";

/** Settings of proxies that are taken and change nothing: never without saying so. */
function idleFindings(object: KubeObject, path: FieldPath, value: unknown, { schema }: Wanted): readonly Finding[] {
  const below = DEFAULT_CONFIG[schema];
  if (below === undefined) return [];
  const config = below.reduce<unknown>(
    (at, step) => (at as Readonly<Record<string, unknown>> | undefined)?.[step],
    value,
  );
  return idleProxySettings(config).map((idle) => {
    const problem = `accepted, has no effect: ${pathText([...below, ...idle.path])} (${idle.why})`;
    const place = { object: refOf(object), path: [...path, ...below, ...idle.path] };
    return finding("IST0133", place, { rule: "field-without-effect", problem, hint: "Do not rely on it." });
  });
}

/** Where the settings of proxies stand in these texts. */
const DEFAULT_CONFIG: Readonly<Record<string, readonly string[]>> = {
  MeshProxyConfig: [],
  MeshConfig: ["defaultConfig"],
  IstioOperator: ["meshConfig", "defaultConfig"],
};

function schemaFindings(object: KubeObject, path: FieldPath, value: unknown, wanted: Wanted): readonly Finding[] {
  return schemaProblems(wanted.schema, withoutNulls(value), wanted.root).map((problem) =>
    finding(
      "IST0106",
      { object: refOf(object), path: [...path, ...problem.path] },
      { rule: `schema-${problem.keyword}`, problem: problem.problem, hint: problem.hint },
    ),
  );
}

/** Istio reads null as absent everywhere in these texts. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => (member === null ? [] : [[key, withoutNulls(member)]])),
  );
}

interface MetadataHolder {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, unknown>> };
  readonly spec?: { readonly template?: MetadataHolder; readonly jobTemplate?: MetadataHolder };
}

/** Annotations of a pod, a workload's template (a CronJob has it one level deeper) or a Gateway. */
function annotations(object: KubeObject): readonly Finding[] {
  const found: Finding[] = [];
  lookAt(object, object as MetadataHolder, [], found);
  return found;
}

function lookAt(object: KubeObject, holder: MetadataHolder, path: FieldPath, found: Finding[]): void {
  const text = holder.metadata?.annotations?.[PROXY_CONFIG_ANNOTATION];
  if (text !== undefined) {
    const place = [...path, "metadata", "annotations", PROXY_CONFIG_ANNOTATION];
    found.push(...textFindings(object, place, text, { schema: "MeshProxyConfig", root: "proxyConfig" }));
  }
  const { spec } = holder;
  if (isHolder(spec?.template)) lookAt(object, spec.template, [...path, "spec", "template"], found);
  if (isHolder(spec?.jobTemplate)) lookAt(object, spec.jobTemplate, [...path, "spec", "jobTemplate"], found);
}

function isHolder(value: MetadataHolder | null | undefined): value is MetadataHolder {
  return typeof value === "object" && value !== null;
}

function operatorFindings(object: KubeObject): readonly Finding[] {
  if (object.kind !== "IstioOperator") return [];
  const wanted = { schema: "IstioOperator", root: "spec" };
  // install makes text of them, as Istio's does
  const isMadeText = ({ path, args }: Finding): boolean =>
    path.at(-2) === "proxyMetadata" && args["rule"] === "schema-type";
  return valueFindings(object, ["spec"], object.spec ?? {}, wanted).filter((found) => !isMadeText(found));
}
