import { hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import type { KubeObject } from "../resources/object.ts";
import { validateObject } from "./validate-object.ts";

/** The answer of the validating webhook for one object. */
export interface AdmissionVerdict {
  readonly allowed: boolean;
  /** Why it is refused; every problem with what to do. Empty when it is allowed. */
  readonly message: string;
  /** For the user's terminal (kubectl prints them). */
  readonly warnings: readonly string[];
}

/** Characters of one problem that are shown: a value may be of any length. */
const MAX_SENTENCE = 600;

/** Problems that a refusal lists; of the others it says how many there are. */
const MAX_PROBLEMS = 10;

/** Whether the control plane takes an object: refused for errors, warned of everything else. */
export function validateForAdmission(object: KubeObject): AdmissionVerdict {
  const findings = validateObject(object);
  const errors = findings.filter((found) => found.level === "Error");
  return {
    allowed: errors.length === 0,
    message: shortened(errors.map(sentence)).join("; "),
    warnings: shortened(findings.filter((found) => found.level !== "Error").map(sentence)),
  };
}

function shortened(sentences: readonly string[]): readonly string[] {
  const more = sentences.length - MAX_PROBLEMS;
  return more <= 0 ? sentences : [...sentences.slice(0, MAX_PROBLEMS), `and ${more} more: run meshctl validate`];
}

function sentence(found: Finding): string {
  const hint = hintOf(found);
  const text = `[${found.code}] ${cut(messageOf(found))}`;
  return hint === undefined ? text : `${text}. ${cut(hint)}`;
}

function cut(text: string): string {
  return text.length <= MAX_SENTENCE ? text : `${text.slice(0, MAX_SENTENCE)}...`;
}
