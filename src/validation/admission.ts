import { pathText } from "../base/field-path.ts";
import { hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import type { KubeObject } from "../resources/object.ts";
import { validateObject } from "./validate-object.ts";

/** The answer of the validating webhook for one object. */
interface AdmissionVerdict {
  readonly allowed: boolean;
  /** Why it is refused; every problem with what to do. Empty when it is allowed. */
  readonly message: string;
  /** For the user's terminal (kubectl prints them). */
  readonly warnings: readonly string[];
  /** Why it is refused, for programs. */
  readonly causes: readonly AdmissionCause[];
}

/** One reason of a refusal. */
interface AdmissionCause {
  /** E.g. `spec.hosts[0]`. */
  readonly field: string;
  readonly message: string;
}

/** Characters of one problem that are shown: a value may be of any length. */
const MAX_SENTENCE = 600;

/** Characters of a warning: the API server cuts longer ones in the middle of a word. */
const MAX_WARNING = 256;

/** Problems that an answer lists; of the others it says how many there are. */
const MAX_PROBLEMS = 10;

/**
 * Whether the control plane takes an object: refused for errors, warned of everything else. The API server knows the kind: one
 * that we do not know is newer than we are, and is let through.
 */
export function validateForAdmission(object: KubeObject): AdmissionVerdict {
  const findings = validateObject(object).filter(({ code }) => code !== "MSH0201" && code !== "MSH0202");
  const errors = findings.filter((found) => found.level === "Error");
  const warnings = findings.filter((found) => found.level !== "Error");
  return {
    allowed: errors.length === 0,
    message: shortened(errors, MAX_SENTENCE).join("; "),
    warnings: shortened(warnings, MAX_WARNING),
    causes: errors.slice(0, MAX_PROBLEMS).map((found) => ({
      field: pathText(found.path),
      message: cut(`[${found.code}] ${messageOf(found)}`, MAX_SENTENCE),
    })),
  };
}

function shortened(findings: readonly Finding[], length: number): readonly string[] {
  const shown = findings.slice(0, MAX_PROBLEMS).map((found) => sentence(found, length));
  const more = findings.length - MAX_PROBLEMS;
  return more <= 0 ? shown : [...shown, `and ${more} more: run meshctl validate`];
}

/** The hint stands last, and is left out when both do not fit. */
function sentence(found: Finding, length: number): string {
  const text = `[${found.code}] ${messageOf(found)}`;
  const hint = hintOf(found);
  const both = hint === undefined ? text : `${text}. ${hint}`;
  return both.length <= length ? both : cut(text, length);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 3)}...`;
}
