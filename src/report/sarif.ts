import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { hintOf, messageOf, recordOf } from "../diagnostics/codes.ts";
import type { Finding, Level, RelatedPlace, SourcePosition } from "../diagnostics/finding.ts";
import { fingerprintsOf } from "../diagnostics/fingerprint.ts";
import type { ReportContext, Reporter, ReportSummary, SuppressedFinding } from "./context.ts";
import { type ReportRule, rulesOf } from "./rules.ts";
import { inFile, originOf } from "./words.ts";

/**
 * SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html): what code scanning of GitHub, GitLab, Azure and
 * editors read. Fingerprints do not change when lines move; suppressed findings are there, marked as such.
 */
export const sarif: Reporter = (findings, context) => {
  const suppressed = context.summary?.suppressed ?? [];
  const all = [...findings, ...suppressed.map(({ finding }) => finding)];
  const rules = rulesOf(all);
  const prints = fingerprintsOf(all);
  const index = new Map(rules.map(({ code }, at) => [code, at]));
  const results = all.map((found, at) => ({
    ruleId: found.code,
    ruleIndex: index.get(found.code) ?? -1,
    level: LEVELS[found.level],
    message: { text: messageText(found) },
    locations: [location(found)],
    ...(found.related === undefined ? {} : { relatedLocations: found.related.map(relatedLocation) }),
    partialFingerprints: { "meshctl/v1": prints[at] },
    ...state(found, context),
    ...suppressions(suppressed[at - findings.length]),
    properties: { path: found.path, ...(found.cluster === undefined ? {} : { cluster: found.cluster }) },
  }));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: driver(rules, all, context.summary) },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { SRCROOT: { description: { text: "Folder in which meshctl ran." } } },
        invocations: [{ executionSuccessful: true, toolExecutionNotifications: notifications(context.summary) }],
        results,
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
};

const LEVELS: Readonly<Record<Level, "error" | "warning" | "note">> = {
  Error: "error",
  Warning: "warning",
  Info: "note",
};

function driver(
  rules: readonly ReportRule[],
  findings: readonly Finding[],
  summary: ReportSummary | undefined,
): object {
  return {
    name: "meshctl",
    ...(summary?.version === undefined ? {} : { semanticVersion: summary.version }),
    rules: rules.map(({ code, name, summary: words, page }) => {
      const help = [words, ...helpOf(findings.find((found) => found.code === code)), `See ${page}.`].join("\n");
      return {
        id: code,
        name,
        shortDescription: { text: words },
        fullDescription: { text: words },
        help: { text: help, markdown: help },
        ...(page.startsWith("https:") ? { helpUri: page } : {}),
        defaultConfiguration: { level: LEVELS[recordOf(code)?.level ?? "Error"] },
      };
    }),
  };
}

function helpOf(found: Finding | undefined): readonly string[] {
  const hint = found === undefined ? undefined : hintOf(found);
  return hint === undefined ? [] : [`For example: ${hint}`];
}

function messageText(found: Finding): string {
  const hint = hintOf(found);
  return hint === undefined ? messageOf(found) : `${messageOf(found)}. ${hint}`;
}

function location({ object, path, position }: Omit<RelatedPlace, "words">): object {
  const fields = path.join(".");
  return {
    ...(inFile(position) ? { physicalLocation: physical(position) } : {}),
    ...(object === undefined
      ? {}
      : {
          logicalLocations: [
            {
              name: object.name,
              fullyQualifiedName: `${originOf(object)}${fields === "" ? "" : ` ${fields}`}`,
              kind: "resource",
            },
          ],
        }),
  };
}

function relatedLocation(place: RelatedPlace, index: number): object {
  return { id: index + 1, ...location(place), message: { text: place.words } };
}

function physical({ file, line, column }: SourcePosition): object {
  const artifactLocation = isAbsolute(file)
    ? { uri: pathToFileURL(file).href }
    : { uri: file.split("/").map(encodeURIComponent).join("/"), uriBaseId: "SRCROOT" };
  return { artifactLocation, region: { startLine: line, startColumn: column } };
}

function state(found: Finding, context: ReportContext): object {
  const known = context.summary?.stateOf?.(found);
  return known === undefined ? {} : { baselineState: known };
}

function suppressions(suppressed: SuppressedFinding | undefined): object {
  if (suppressed === undefined) return {};
  const { by, reason } = suppressed;
  const kind = by === "source" ? "inSource" : "external";
  return { suppressions: [{ kind, status: "accepted", ...(reason === "" ? {} : { justification: reason }) }] };
}

function notifications(summary: ReportSummary | undefined): readonly object[] {
  const { skipped = [], notChecked = [] } = summary ?? {};
  return [
    ...skipped.map(({ name, reason }) => ({
      level: "warning",
      message: { text: `analyzer ${name} skipped: ${reason}` },
    })),
    ...[...new Set(notChecked)].map((what) => ({ level: "note", message: { text: `not checked: ${what}` } })),
  ];
}
