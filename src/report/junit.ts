import { hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding } from "../diagnostics/finding.ts";
import type { Reporter, ReportSummary } from "./context.ts";
import { originOf, placeText } from "./words.ts";
import { xmlText } from "./xml.ts";

/**
 * JUnit XML as Jenkins, GitLab and GitHub actions read it: a test suite per file, a failed test case per error, a passed one with
 * output per warning or note, a skipped one per check that did not run. Without any of these one passed case says so: readers
 * take an empty report for a broken one.
 */
export const junit: Reporter = (findings, { summary }) => {
  const files = [...new Set(findings.map((found) => found.position?.file ?? ""))];
  const suites = files.map((file) =>
    suiteOf(
      file,
      findings.filter((found) => (found.position?.file ?? "") === file),
    ),
  );
  const all = [...suites, runSuite(findings, summary)];
  const sum = (of: (suite: Suite) => number): number => all.reduce((total, suite) => total + of(suite), 0);
  const counts = `tests="${sum(({ cases }) => cases.length)}" failures="${sum(({ failures }) => failures)}" errors="0"`;
  const body = all.map(suiteText).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="meshctl" ${counts}>\n${body}</testsuites>\n`;
};

interface Suite {
  readonly name: string;
  readonly cases: readonly string[];
  readonly failures: number;
  readonly skipped: number;
}

function suiteOf(file: string, findings: readonly Finding[]): Suite {
  const failures = findings.filter(({ level }) => level === "Error").length;
  return { name: file === "" ? "cluster" : file, cases: findings.map(caseText), failures, skipped: 0 };
}

function runSuite(findings: readonly Finding[], summary: ReportSummary | undefined): Suite {
  const { skipped = [], notChecked = [], objects = 0 } = summary ?? {};
  const cases = [
    ...skipped.map(({ name, reason }) => skippedCase(`analyzer ${name}`, reason)),
    ...[...new Set(notChecked)].map((what) => skippedCase("not checked", what)),
  ];
  const passed =
    findings.length > 0 ? [] : [`    <testcase classname="meshctl" name="${objects} objects without findings"/>\n`];
  return { name: "meshctl", cases: [...passed, ...cases], failures: 0, skipped: cases.length };
}

function skippedCase(name: string, reason: string): string {
  return `    <testcase classname="meshctl" name="${xmlText(name)}">\n      <skipped message="${xmlText(reason)}"/>\n    </testcase>\n`;
}

function suiteText({ name, cases, failures, skipped }: Suite): string {
  if (cases.length === 0) return "";
  const counts = `tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return `  <testsuite name="${xmlText(name)}" ${counts}>\n${cases.join("")}  </testsuite>\n`;
}

function caseText(found: Finding): string {
  const { code, level, object, position } = found;
  const place = placeText(position);
  const where = position === undefined ? "" : ` file="${xmlText(position.file)}" line="${position.line}"`;
  const name = [code, originOf(object), place].filter((part) => part !== "").join(" ");
  const details = [messageOf(found), place, hintOf(found) ?? "", ...relatedLines(found)].filter((line) => line !== "");
  const body = xmlText(details.join("\n"));
  const inner =
    level === "Error"
      ? `<failure type="${code}" message="${xmlText(messageOf(found))}">${body}</failure>`
      : `<system-out>${xmlText(`${level}: `)}${body}</system-out>`;
  return `    <testcase classname="${code}" name="${xmlText(name)}"${where}>\n      ${inner}\n    </testcase>\n`;
}

function relatedLines({ related = [] }: Finding): readonly string[] {
  return related.map(({ words, object, position }) => `${words}: ${originOf(object)} ${placeText(position)}`.trimEnd());
}
