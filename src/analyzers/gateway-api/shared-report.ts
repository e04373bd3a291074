import type { Need, Problem } from "../../model/gateway-api-types.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { AnalyzerInput } from "../analyzer.ts";
import type { Code } from "../../diagnostics/codes.ts";

/**
 * Says what is wrong with an object, once for each code and place. What only a whole cluster could confirm is noted as unknown.
 */
export function reportProblems<C extends Code>(
  { report, knows, unknown }: Pick<AnalyzerInput<never, C>, "report" | "knows" | "unknown">,
  object: KubeObject,
  problems: readonly (Problem & { readonly code: C })[],
): void {
  const isKnown = ({ kind, namespace }: Need): boolean =>
    kind === "Namespace" || namespace === "" ? knows(kind) : knows(kind, namespace);
  for (const { code, path, args, needs } of problems) {
    if (needs === undefined || isKnown(needs)) report(object, path, code, args as never);
    else {
      const kind = needs.kind === "KubernetesGateway" ? "Gateway" : needs.kind;
      const { namespace = "", name } = object.metadata;
      const where =
        needs.kind === "Namespace" || needs.namespace === "" ? needs.namespace : `namespace ${needs.namespace}`;
      unknown(
        `${object.kind} ${namespace === "" ? name : `${namespace}/${name}`}: no ${kind} of ${where} is in the files`,
      );
    }
  }
}

/** Problems of these codes alone. */
export function withCodes<C extends Code>(
  problems: readonly Problem[],
  wanted: readonly C[],
): readonly (Problem & { readonly code: C })[] {
  return problems.filter((problem): problem is Problem & { readonly code: C } =>
    (wanted as readonly string[]).includes(problem.code),
  );
}
