import type { Level } from "../../diagnostics/finding.ts";
import { annotationFacts, annotationProblem } from "../../model/annotations.ts";
import { type KubeObject, refOf, refText } from "../../resources/object.ts";
import { category, type Outcome, skipped, verdict } from "../check.ts";
import type { Facts } from "../facts.ts";

/** Codes that tell of something deprecated: Istio's own, and those of our validation. */
const DEPRECATED: readonly string[] = ["IST0002", "IST0135", "IST0170"];
const OLD_VERSIONS = /^(networking|security|telemetry|extensions)\.istio\.io\/v1(alpha|beta)\d$/;
const ANALYZE = "look at each with meshctl analyze -A, and at what it means with meshctl explain CODE";

/** Whether what users wrote is right, and still has a future. */
export const configurationChecks = category("configuration", [
  {
    name: "config-errors",
    affirmation: "the mesh's configuration has no errors",
    hint: ANALYZE,
    about: "The findings of meshctl analyze about everything in the cluster, of level Error.",
    severity: "error",
    phase: "after",
    run: (facts) => ofLevel(facts, "Error"),
  },
  {
    name: "config-warnings",
    affirmation: "the mesh's configuration has no warnings",
    hint: ANALYZE,
    about: "The findings of meshctl analyze about everything in the cluster, of level Warning.",
    severity: "warning",
    phase: "after",
    run: (facts) => ofLevel(facts, "Warning"),
  },
  {
    name: "deprecated-fields",
    affirmation: "no deprecated fields are in use",
    hint: "change each to what the message says: meshctl analyze -A",
    about: "Fields that will go. Each finding names what takes its place.",
    severity: "warning",
    run: async (facts) => {
      const findings = await facts.probe("findings");
      if (findings === undefined) return skipped(UNTOLD);
      return verdict(findings.filter(({ code }) => DEPRECATED.includes(code)).map((found) => wordsOf(facts, found)));
    },
  },
  {
    name: "deprecated-annotations",
    affirmation: "no deprecated annotations are in use",
    hint: "write what the message names in its place",
    about: "Annotations that will go, on namespaces, Services, Deployments and pods, each with what takes its place.",
    severity: "warning",
    run: async (facts) =>
      verdict(
        (await annotated(facts)).flatMap((object) =>
          Object.keys(object.metadata.annotations ?? {}).flatMap((key) => {
            const replacement = annotationFacts(key)?.deprecated;
            if (replacement === undefined) return [];
            return [`${refText(refOf(object))}: ${key}${replacement === "" ? "" : ` (use ${replacement})`}`];
          }),
        ),
      ),
  },
  {
    name: "annotation-values",
    affirmation: "annotations have values that the injector takes",
    hint: "correct the value as the message says",
    about: "The injector refuses a pod whose annotation has no meaning; a workload with one cannot start again.",
    severity: "warning",
    phase: "after",
    run: async (facts) =>
      verdict(
        (await annotated(facts)).flatMap((object) =>
          Object.entries(object.metadata.annotations ?? {}).flatMap(([key, value]) => {
            const problem = annotationProblem(key, value);
            return problem === undefined ? [] : [`${refText(refOf(object))}: ${key}: ${problem}`];
          }),
        ),
      ),
  },
  {
    name: "deprecated-versions",
    affirmation: "configuration is written in version v1",
    hint: "write apiVersion v1 in your manifests; fields are the same",
    about:
      "Objects are served in every version, and manifests with an old one stop working when that goes. Who wrote an object in which version stands in its managedFields.",
    severity: "warning",
    run: async (facts) => {
      const gateways = await facts.list("Gateway");
      return verdict(
        gateways
          .filter(({ metadata }) => {
            const fields = (metadata["managedFields"] ?? []) as readonly {
              readonly apiVersion?: string;
              readonly subresource?: string;
            }[];
            return fields.some(
              ({ apiVersion = "", subresource }) => subresource === undefined && OLD_VERSIONS.test(apiVersion),
            );
          })
          .map((object) => refText(refOf(object))),
      );
    },
  },
]);

const UNTOLD = "nobody can analyze the cluster here";

async function ofLevel(facts: Facts, level: Level): Promise<Outcome> {
  const findings = await facts.probe("findings");
  if (findings === undefined) return skipped(UNTOLD);
  return verdict(findings.filter((found) => found.level === level).map((found) => wordsOf(facts, found)));
}

function wordsOf({ context }: Facts, found: Parameters<NonNullable<Facts["context"]["probes"]>["words"]>[0]): string {
  const where = found.object === undefined ? "" : ` ${refText(found.object)}`;
  return `${found.code}${where}: ${context.probes?.words(found) ?? ""}`;
}

/** Objects whose annotations the mesh reads. A pod that a Deployment made repeats what stands there. */
async function annotated(facts: Facts): Promise<readonly KubeObject[]> {
  const [namespaces, services, deployments, pods] = await Promise.all([
    facts.list("Namespace"),
    facts.list("Service"),
    facts.list("Deployment"),
    facts.list("Pod"),
  ]);
  const templates = deployments.flatMap(({ apiVersion, metadata, spec }) => {
    const { annotations } = (spec?.template?.metadata ?? {}) as { annotations?: Record<string, string> };
    return annotations === undefined
      ? []
      : [{ apiVersion, kind: "Deployment", metadata: { ...metadata, annotations } }];
  });
  const bare = pods.filter(({ metadata }) => metadata.ownerReferences === undefined);
  return [...named(namespaces, "Namespace"), ...named(services, "Service"), ...templates, ...named(bare, "Pod")];
}

/** Items of a list as the API server gives it do not all tell their kind. */
function named(objects: readonly KubeObject[], kind: string): readonly KubeObject[] {
  return objects.map((object) => ({ ...object, kind }));
}
