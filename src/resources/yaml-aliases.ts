/** How js-yaml names what it writes once: `key: &ref_0`, and `key: *ref_0` wherever it stands again. */
const MARK = /^( *(?:- )*)([^\s#'"][^:]*): ([&*])(ref_\d+)$/;

interface Block {
  /** Lines of the block: from, and the first that is not in it. */
  readonly from: number;
  readonly to: number;
  /** Column of the key that the block belongs to. */
  readonly column: number;
}

/**
 * The text with every alias written out, letter by letter what `toYaml` writes for the same data; text alone is moved, nothing is
 * parsed. Only for texts of toYamlWithAliases. Throws Error for an alias or anchor that is not the whole value of a key.
 */
export function withoutAliases(text: string): string {
  const lines = text.split("\n");
  const blocks = new Map<string, Block>();
  const out: string[] = [];
  const copy = (from: number, to: number, shift: number): void => {
    for (let at = from; at < to; at++) {
      const line = lines[at] ?? "";
      if (!line.includes("ref_")) {
        out.push(moved(line, shift));
        continue;
      }
      const mark = MARK.exec(line);
      if (mark === null) {
        if (/[&*]ref_\d+( |$)/.test(line)) throw new Error(`expected an alias to be the value of a key, got: ${line}`);
        out.push(moved(line, shift));
        continue;
      }
      const [, before = "", key = "", sign, name = ""] = mark;
      const column = before.length;
      out.push(moved(`${before}${key}:`, shift));
      if (sign === "&") {
        blocks.set(name, { from: at + 1, to: blockEnd(lines, at + 1, column), column });
        continue;
      }
      const block = blocks.get(name);
      if (block === undefined) throw new Error(`there is nothing that *${name} stands for`);
      copy(block.from, block.to, shift + column - block.column);
    }
  };
  copy(0, lines.length, 0);
  return out.join("\n");
}

/** The first line from `from` on that stands no deeper than `column`. */
function blockEnd(lines: readonly string[], from: number, column: number): number {
  const deeper = " ".repeat(column + 1);
  let at = from;
  while (at < lines.length - 1 && (lines[at] === "" || lines[at]?.startsWith(deeper) === true)) at++;
  return at;
}

function moved(line: string, shift: number): string {
  if (shift === 0 || line === "") return line;
  return shift > 0 ? " ".repeat(shift) + line : line.slice(-shift);
}
