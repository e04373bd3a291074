import { pathText } from "../base/field-path.ts";
import { type ArgsOf, type Code, finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import { type KubeObject, refOf } from "../resources/object.ts";

/** Says what is wrong at a place of the spec; `path` is below `spec`. `hint` starts with a verb. */
export type Report = (path: FieldPath, problem: string, hint?: string) => void;

/** What a rule may look at besides the spec, and how it reports elsewhere or under a code of its own. */
export interface About {
  readonly object: KubeObject;
  /** "" when it is not said. */
  readonly namespace: string;
  /** As `report`, but `path` is below `metadata`. */
  readonly metadata: Report;
  /** `path` is below `spec`. */
  readonly raise: <C extends Code>(code: C, path: FieldPath, args: ArgsOf<C>) => void;
}

/** One condition that a spec of a kind has to hold to, beyond its schema. */
export interface Rule<Spec> {
  /** `kind-condition`, e.g. `virtual-service-weights`. */
  readonly name: string;
  /** What has to hold, as a sentence. */
  readonly holds: string;
  /** `error`: the control plane refuses the object. `warning`: it is taken, but does not do what it says. */
  readonly severity: "error" | "warning";
  /** Reports what does not hold. Neither `report` nor `about` may be kept. */
  readonly check: (spec: Spec, report: Report, about: About) => void;
}

/** Rules of one kind, in the order they are checked. */
export type Rules<Spec> = readonly Rule<Spec>[];

/** What the rules of a kind say of an object. The spec must hold to its schema. */
export function ruleFindings<Spec>(rules: Rules<Spec>, object: KubeObject): readonly Finding[] {
  const findings: Finding[] = [];
  let rule: Rule<Spec> | undefined;
  const reporter =
    (root: string): Report =>
    (path, problem, hint = "") => {
      const full = [root, ...path];
      const args = { rule: rule?.name ?? "", problem: `${pathText(full)}: ${problem}`, hint };
      const code = rule?.severity === "warning" ? "IST0133" : "IST0106";
      findings.push(finding(code, { object: refOf(object), path: full }, args));
    };
  const about: About = {
    object,
    namespace: object.metadata.namespace ?? "",
    metadata: reporter("metadata"),
    raise: (code, path, args) => findings.push(finding(code, { object: refOf(object), path: ["spec", ...path] }, args)),
  };
  const spec = (object.spec ?? {}) as Spec;
  const report = reporter("spec");
  for (let index = 0; index < rules.length; index++) {
    rule = rules[index];
    rule?.check(spec, report, about);
  }
  return findings;
}
