import { documentationOf, recordOf } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";

/** What a code is, for formats that list the rules that were broken. */
export interface ReportRule {
  readonly code: string;
  readonly name: string;
  readonly summary: string;
  /** Address, when there is one on the web; ours are pages of the repository. */
  readonly page: string;
}

/** The rules that findings broke, sorted by code, each once. */
export function rulesOf(findings: readonly Finding[]): readonly ReportRule[] {
  return [...new Set(findings.map(({ code }) => code))].toSorted().map((code) => ({
    code,
    name: recordOf(code)?.name ?? code,
    summary: recordOf(code)?.summary ?? code,
    page: documentationOf(code),
  }));
}
