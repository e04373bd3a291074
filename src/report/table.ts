import Table from "cli-table3";

/**
 * Plain columns as kubectl and istioctl print them: a header in capitals, three spaces between columns, no lines, nothing
 * after the last column. Ends with a line end; an empty list prints the header alone.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  return all.every(isPlain) ? aligned(all) : laidOut(all);
}

/** Which columns go first where there is no room for all, and how much there is. */
export interface Room {
  /** Characters of a line. */
  readonly columns: number;
  /** Headings, the one that is missed least first. */
  readonly droppable: readonly string[];
}

/** A table for a terminal: columns go until every line fits, and then lines are cut. */
export function fittedTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { columns, droppable }: Room,
): string {
  const all = [header, ...rows];
  const gone = new Set<string>();
  const text = (): string => {
    const kept = header.flatMap((name, index) => (gone.has(name) ? [] : [index]));
    const [first = [], ...others] = all.map((row) => kept.map((index) => row[index] ?? ""));
    return table(first, others);
  };
  const fits = (): boolean =>
    text()
      .split("\n")
      .every(({ length }) => length <= columns);
  for (const name of droppable) {
    if (fits()) break;
    gone.add(name);
  }
  return cutLines(text(), columns);
}

/** Lines as long as a terminal has columns, the end of a longer one as "…". */
export function cutLines(text: string, columns: number): string {
  return text
    .split("\n")
    .map((line) => (line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`))
    .join("\n");
}

/** Whether every character is as wide as any other. */
function isPlain(row: readonly string[]): boolean {
  return row.every((cell) => /^[ -~]*$/.test(cell));
}

const GAP = "   ";

/** The same as laidOut, which takes seconds for 2,000 rows. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, { length }] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, length);
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join(GAP)
        .trimEnd()
        .concat("\n"),
    )
    .join("");
}

function laidOut(rows: readonly (readonly string[])[]): string {
  const none = { top: "", "top-mid": "", "top-left": "", "top-right": "" } as const;
  const plain = new Table({
    chars: {
      ...none,
      bottom: "",
      "bottom-mid": "",
      "bottom-left": "",
      "bottom-right": "",
      left: "",
      "left-mid": "",
      mid: "",
      "mid-mid": "",
      right: "",
      "right-mid": "",
      middle: GAP,
    },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
  });
  for (const row of rows) plain.push([...row]);
  return `${plain
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
}
