import type { CheckResult } from "../../checks/check.ts";
import { VERSION } from "../../gen/version.ts";
import { xmlText } from "../../report/xml.ts";

/** JUnit XML: a suite per category, a case per check; warnings pass and say what they found. */
export function checksJunit(checks: readonly CheckResult[]): string {
  const titles = [...new Set(checks.map(({ category }) => category))];
  const suites = titles.map((title) => {
    const own = checks.filter(({ category }) => category === title);
    return `  <testsuite name="${xmlText(title)}" ${counts(own)}>\n${own.map(caseText).join("")}  </testsuite>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="meshctl" ${counts(checks)}>\n${suites.join("")}</testsuites>\n`;
}

function counts(checks: readonly CheckResult[]): string {
  const of = (status: CheckResult["status"]): number => checks.filter((check) => check.status === status).length;
  return `tests="${checks.length}" failures="${of("error")}" errors="0" skipped="${of("skipped")}"`;
}

function caseText({ name, category, affirmation, status, message = "", hint = "" }: CheckResult): string {
  const open = `    <testcase classname="${xmlText(`${category}.${name}`)}" name="${xmlText(affirmation)}"`;
  const body = xmlText([message, hint].filter((text) => text !== "").join("\n"));
  if (status === "ok") return `${open}/>\n`;
  const inner = {
    skipped: `<skipped message="${xmlText(message)}"/>`,
    warning: `<system-out>${xmlText("Warning: ")}${body}</system-out>`,
    error: `<failure type="${xmlText(name)}" message="${xmlText(message)}">${body}</failure>`,
  }[status];
  return `${open}>\n      ${inner}\n    </testcase>\n`;
}

/** SARIF 2.1.0: a rule per check, a result per check that does not hold; those that were skipped are notifications. */
export function checksSarif(checks: readonly CheckResult[], server: string): string {
  const bad = checks.filter(({ status }) => status === "error" || status === "warning");
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "meshctl",
            semanticVersion: VERSION,
            rules: checks.map(({ name, affirmation, page, hint }) => ({
              id: name,
              shortDescription: { text: affirmation },
              help: {
                text:
                  [hint, page === undefined ? undefined : `See ${page}.`]
                    .filter((each) => each !== undefined)
                    .join(" ") || affirmation,
              },
            })),
          },
        },
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: checks
              .filter(({ status }) => status === "skipped")
              .map(({ name, message = "" }) => ({ level: "note", message: { text: `${name} skipped: ${message}` } })),
          },
        ],
        results: bad.map(({ name, status, affirmation, message = "", hint = "" }) => ({
          ruleId: name,
          ruleIndex: checks.findIndex((check) => check.name === name),
          level: status,
          message: {
            text: [`Does not hold: ${affirmation}. ${message}`, hint].filter((text) => text !== "").join(". "),
          },
          locations: [{ logicalLocations: [{ name: server, kind: "resource" }] }],
          partialFingerprints: { "meshctl/v1": name },
        })),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
