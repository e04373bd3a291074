import { pathText } from "../base/field-path.ts";
import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding } from "../diagnostics/finding.ts";
import type { MeshKindName } from "../gen/mesh-kinds.ts";
import type { SpecTypes } from "../gen/schema-types.ts";
import { type KubeObject, refOf } from "../resources/object.ts";

/** Says what is wrong at a place of the spec; `path` is below `spec`. `hint` starts with a verb. */
export type Report = (path: FieldPath, problem: string, hint?: string) => void;

/** One condition that a spec of a kind has to hold to, beyond its schema. */
export interface Rule<K extends MeshKindName> {
  /** `kind-condition`, e.g. `virtual-service-weights`. */
  readonly name: string;
  /** What has to hold, as a sentence. */
  readonly holds: string;
  /** `error`: the control plane refuses the object. `warning`: it is taken, but does not do what it says. */
  readonly severity: "error" | "warning";
  readonly check: (spec: SpecTypes[K], report: Report) => void;
}

/** Rules of one kind, in the order they are checked. */
export type Rules<K extends MeshKindName> = readonly Rule<K>[];

/** What the rules of a kind say of an object. The spec must hold to its schema. */
export function ruleFindings<K extends MeshKindName>(
  rules: Rules<K>,
  object: KubeObject<SpecTypes[K]>,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const rule of rules) {
    const code = rule.severity === "error" ? "IST0106" : "IST0133";
    rule.check(object.spec ?? ({} as SpecTypes[K]), (path, problem, hint = "") => {
      const full = ["spec", ...path];
      const args = { rule: rule.name, problem: `${pathText(full)}: ${problem}`, hint };
      findings.push(finding(code, { object: refOf(object), path: full }, args));
    });
  }
  return findings;
}
