/** A table as rows of cells by the names of its columns. */
export type Rows = readonly Readonly<Record<string, string>>[];

/** Reads a table by where its columns begin: cells may be empty and may have spaces in them. Throws when a column is missing. */
export function rowsOf(text: string, columns: readonly string[]): Rows {
  const [head = "", ...lines] = text.trimEnd().split("\n");
  let from = 0;
  const starts = columns.map((column) => {
    const at = head.indexOf(column, from);
    if (at < 0) throw new Error(`no column ${column} in "${head}"`);
    from = at + column.length;
    return at;
  });
  const rest = head.slice(from).trim();
  if (rest !== "") throw new Error(`a column more: ${rest}`);
  return lines.map((line) =>
    Object.fromEntries(columns.map((column, at) => [column, line.slice(starts[at], starts[at + 1]).trim()])),
  );
}
