import Table from "cli-table3";

/**
 * Plain columns as kubectl and istioctl print them: a header in capitals, three spaces between columns, no lines, nothing
 * after the last column. Ends with a line end; an empty list prints the header alone.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
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
      middle: "   ",
    },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [], compact: true },
  });
  for (const row of [header, ...rows]) plain.push([...row]);
  return `${plain
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
}
