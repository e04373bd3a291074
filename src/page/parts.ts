import { type ComponentChild, type ComponentChildren, h } from "preact";
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
          h("tr", { key }, [h("th", { scope: "row" }, first), ...rest.map((cell) => h("td", {}, cell))]),
        ),
      ),
    ]),
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
