import { expect, test } from "vitest";
import { finding } from "../../src/diagnostics/codes.ts";
import { reporters } from "../../src/report/index.ts";
import { table } from "../../src/report/table.ts";

const object = { kind: "VirtualService", namespace: "shop", name: "web" };
const position = { file: "a.yaml", line: 3, column: 5 };
const args = { what: "host", name: "wbe", where: "Did you mean web?" };
const findings = [
  finding("IST0101", { object, path: ["spec", "hosts", 0], position }, args),
  finding("IST0133", { object: { ...object, namespace: "" } }, { rule: "r", problem: "odd", hint: "" }),
];
const plain = { terminal: false, env: {}, sourceLine: () => "\t- host: wbe" };

test("text: istioctl's line with the column, and what to do below", () => {
  expect(reporters.text(findings, plain)).toBe(
    'Error [IST0101] (VirtualService shop/web a.yaml:3:5) Referenced host not found: "wbe"\n    Did you mean web?\n' +
      "Warning [IST0133] (VirtualService web) Schema validation warning: odd\n",
  );
  expect(reporters.text([], plain)).toBe("");
});

test("text on a terminal: colours, and the line with a caret; no colours with NO_COLOR or TERM=dumb", () => {
  const terminal = { ...plain, terminal: true };
  const [file, first, second, third] = reporters.text(findings, terminal).split("\n");
  expect(file).toContain("a.yaml");
  expect(first).toContain("\u001b[31mError");
  expect(second).toContain("\t- host: wbe");
  expect(third?.includes("\t   \u001b[1m\u001b[31m^")).toBe(true);
  for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }] as const)
    expect(reporters.text(findings, { ...terminal, env })).not.toContain("\u001b");
});

test("json: istioctl's keys first, then ours; an empty result is a list", () => {
  expect(reporters.json([], plain)).toBe("[]\n");
  expect(JSON.parse(reporters.json(findings, plain))).toEqual([
    {
      code: "IST0101",
      documentationUrl: "https://istio.io/latest/docs/reference/config/analysis/ist0101/",
      level: "Error",
      message: 'Referenced host not found: "wbe"',
      origin: "VirtualService shop/web",
      reference: "a.yaml:3",
      hint: "Did you mean web?",
      ...object,
      path: ["spec", "hosts", 0],
      ...position,
    },
    {
      code: "IST0133",
      documentationUrl: "https://istio.io/latest/docs/reference/config/analysis/ist0133/",
      level: "Warning",
      message: "Schema validation warning: odd",
      origin: "VirtualService web",
      ...object,
      namespace: "",
      path: [],
    },
  ]);
});

test("table: columns as kubectl prints them, nothing after the last", () => {
  const rows = [
    ["web-1.shop", "SYNCED"],
    ["a", "STALE (2)"],
  ];
  expect(table(["NAME", "CDS"], rows)).toBe("NAME         CDS\nweb-1.shop   SYNCED\na            STALE (2)\n");
  expect(table(["NAME", "CDS"], [])).toBe("NAME   CDS\n");
});
