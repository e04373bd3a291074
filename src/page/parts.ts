import { type ComponentChild, type ComponentChildren, h } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "./browser.ts";

/** Anything that can stand inside an element. */
export type Content = ComponentChildren;

/** A table with a caption for people who hear it, and a heading per column; the first cell names its row. */
export function dataTable(
  caption: string,
  columns: readonly string[],
  rows: readonly { readonly key: string; readonly cells: readonly Content[] }[],
): ComponentChild {
  return h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": caption }, [
    h("table", {}, [
      h("caption", { class: "unseen" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          columns.map((column) => h("th", { scope: "col" }, column)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map(({ key, cells: [first, ...rest] }) =>
          h("tr", { key }, [
            h("th", { scope: "row" }, first),
            // on a narrow screen each cell stands in a line of its own, under its column's name
            ...rest.map((cell, at) => h("td", { "data-column": columns[at + 1] }, cell)),
          ]),
        ),
      ),
    ]),
  ]);
}

/** Rows from which on a table can be narrowed. */
const MANY_ROWS = 12;

/** A row that is found by a text. */
export interface FoundRow {
  readonly key: string;
  readonly text: string;
  readonly cells: readonly Content[];
}

interface LongTable {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly FoundRow[];
}

/** A table with a field above it that leaves the rows with all of its words; short tables have none. */
export function longTable(table: LongTable): ComponentChild {
  return h(Narrowed, { key: table.caption, ...table });
}

function Narrowed({ caption, columns, rows }: LongTable): ComponentChild {
  const [words, setWords] = useState("");
  const asked = words.toLowerCase().split(/\s+/);
  const left = rows.filter(({ text }) => asked.every((word) => text.toLowerCase().includes(word)));
  if (rows.length < MANY_ROWS) return dataTable(caption, columns, rows);
  const onInput = ({ target }: { readonly target: unknown }): void =>
    setWords((target as { readonly value: string }).value);
  return h("div", {}, [
    h("p", { class: "narrow" }, [
      h("label", {}, ["Show ", h("input", { type: "search", value: words, onInput, placeholder: "every row with …" })]),
      h("span", { role: "status" }, words === "" ? `${rows.length} rows` : `${left.length} of ${rows.length} rows`),
    ]),
    left.length === 0 ? note("No row has these words.") : dataTable(caption, columns, left),
  ]);
}

/** A word that stands out: good, bad or so-so. It says in words what its colour says. */
export function badge(word: string, tone: "good" | "bad" | "warn" | "plain"): ComponentChild {
  return h("span", { class: `badge ${tone}` }, word);
}

/** Renders data, or says why there is none. */
export function answered<T>(answer: Answer<T>, render: (data: T) => ComponentChild): ComponentChild {
  return "data" in answer ? render(answer.data) : h("p", { class: "note", role: "alert" }, `Not told: ${answer.error}`);
}

/** Said in place of an empty table. */
export function note(text: string): ComponentChild {
  return h("p", { class: "note" }, text);
}

/** What to do, in place of an empty picture or table: words, and the commands. */
export function steps(text: string, commands: readonly string[]): ComponentChild {
  return h("div", { class: "note" }, [h("p", {}, text), h("pre", { tabIndex: 0 }, commands.join("\n"))]);
}
