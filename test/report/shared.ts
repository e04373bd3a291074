import { finding } from "../../src/diagnostics/codes.ts";
import type { Finding } from "../../src/diagnostics/finding.ts";
import type { ReportContext, ReportSummary } from "../../src/report/context.ts";

const object = { kind: "VirtualService", namespace: "shop", name: "web" };
const position = { file: "shop/web routes.yaml", line: 3, column: 5 };
const args = { what: "host", name: "wbe", where: "Did you mean web?" };

/** One finding of each kind: with a place, without one, the two places of a conflict, another cluster, hostile words. */
export const FINDINGS: readonly Finding[] = [
  finding("IST0101", { object, path: ["spec", "hosts", 0], position }, args),
  {
    ...finding("IST0133", { object: { ...object, namespace: "" } }, { rule: "r", problem: "odd", hint: "" }),
    cluster: "west",
  },
  {
    ...finding(
      "IST0106",
      { object, path: ["spec"], position: { ...position, line: 9 } },
      { rule: "r", problem: "two", hint: "Keep one." },
    ),
    related: [
      {
        object: { ...object, name: "other" },
        path: ["spec"],
        position: { file: "b.yaml", line: 7, column: 1 },
        words: "the other one",
      },
    ],
  },
  finding(
    "MSH0001",
    { object: undefined, position: { file: "a,b:c%.yaml", line: 1, column: 2 } },
    { reason: '::error::x\r\n| <b>`@team`</b> ]]> \u0001 & "q"', hint: "" },
  ),
  finding("MSH0003", { object: undefined, position: { file: "stdin", line: 2, column: 1 } }, { got: "a list" }),
];

/** A run that left something out. */
export const SUMMARY: ReportSummary = {
  version: "1.2.3",
  objects: 12,
  skipped: [
    { name: "pods", reason: "may not list pods" },
    { name: "sidecars", reason: "may not list pods" },
  ],
  notChecked: ["services of namespace shop", "services of namespace shop"],
  suppressed: [{ finding: finding("IST0101", { object, path: [] }, args), by: "source", reason: "known until March" }],
  stateOf: (found) => (found.code === "IST0101" ? "unchanged" : "new"),
  fixed: 2,
};

/** A pipe, with what the source says on every line. */
export const CONTEXT: ReportContext = {
  terminal: false,
  env: {},
  sourceLine: () => "\t- host: wbe",
  summary: SUMMARY,
};
