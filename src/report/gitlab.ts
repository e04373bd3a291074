import { hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding, Level } from "../diagnostics/finding.ts";
import { fingerprintsOf } from "../diagnostics/fingerprint.ts";
import type { Reporter } from "./context.ts";
import { leftOutLines } from "./summary.ts";
import { originOf } from "./words.ts";

/**
 * GitLab's code quality report (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format): a list of issues
 * with description, check_name, fingerprint, severity and location. Every issue needs a file and line: findings without one are
 * placed at line 1 of what they are about. What was left out is an issue of severity `info`.
 */
export const gitlab: Reporter = (findings, { summary }) => {
  const prints = fingerprintsOf(findings);
  const issues = findings.map((found, index) => ({
    description: description(found),
    check_name: found.code,
    fingerprint: prints[index],
    severity: SEVERITIES[found.level],
    location: {
      path: found.position?.file ?? originOf(found.object),
      lines: { begin: found.position?.line ?? 1 },
    },
  }));
  const left = leftOutLines(summary).map((line) => ({
    description: line,
    check_name: "meshctl",
    fingerprint: `meshctl: ${line}`,
    severity: "info",
    location: { path: "meshctl", lines: { begin: 1 } },
  }));
  return `${JSON.stringify([...issues, ...left], null, 2)}\n`;
};

const SEVERITIES: Readonly<Record<Level, "major" | "minor" | "info">> = {
  Error: "major",
  Warning: "minor",
  Info: "info",
};

function description(found: Finding): string {
  const about = originOf(found.object);
  const hint = hintOf(found);
  return `${about === "" ? "" : `${about}: `}${messageOf(found)}${hint === undefined ? "" : `. ${hint}`}`;
}
