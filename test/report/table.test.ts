import fc from "fast-check";
import { expect, test } from "vitest";
import { fittedTable, table } from "../../src/report/table.ts";

const header = ["NAME", "STATUS", "AGE"];

test("columns stand below each other, with nothing behind the last; without rows the header is alone", () => {
  expect(
    table(header, [
      ["web.shop", "SYNCED", ""],
      ["b", "", "3d"],
    ]),
  ).toBe("NAME       STATUS   AGE\nweb.shop   SYNCED\nb                   3d\n");
  expect(table(header, [])).toBe("NAME   STATUS   AGE\n");
});

test("wide characters and colours count as what is seen of them", () => {
  expect(
    table(
      ["A", "B"],
      [
        ["ü漢", "x"],
        ["\u001b[31mred\u001b[39m!", "y"],
      ],
    ),
  ).toBe("A      B\nü漢    x\n\u001b[31mred\u001b[39m!   y\n");
});

test("plain text is laid out as any other", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", "b", " ", "-", "%", "|"), minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 8 }), (rows) => {
      const alone = table(header, rows).split("\n");
      // a row that is not plain, and no wider than the header
      const beside = table(header, [...rows, ["ü", "ü", "ü"]]).split("\n");
      expect(alone.slice(0, -1)).toEqual(beside.slice(0, -2));
    }),
    { numRuns: 200 },
  );
});

test("for a terminal columns go in the order that is said until lines fit, and no further", () => {
  const rows = [["web.shop", "SYNCED", "3d"]];
  const at = (columns: number): string => fittedTable(header, rows, { columns, droppable: ["STATUS", "AGE"] });
  expect(at(23)).toBe(table(header, rows));
  expect(at(22)).toBe("NAME       AGE\nweb.shop   3d\n");
  expect(at(9)).toBe("NAME\nweb.shop\n");
  expect(at(5)).toBe("NAME\nweb.…\n");
});
