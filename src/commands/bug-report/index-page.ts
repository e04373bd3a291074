import type { BundleFiles } from "../../bundle/files.ts";
import { type BundleContents, INDEX } from "../../bundle/format.ts";

/** The page that a person opens first: what it is of, what the commands said, where everything stands. No script, no style of others. */
export function indexPage(contents: BundleContents, files: BundleFiles): string {
  const { context, createdAt, meshctl, version, commands, logs, leftOut, redacted } = contents;
  const of = `Taken ${createdAt} by meshctl ${meshctl} from ${context.server}, Kubernetes ${version?.gitVersion ?? "unknown"}.`;
  const said = commands.map(({ line, exitCode, file, words = "" }) => [
    link(file, `meshctl ${line}`),
    String(exitCode),
    escape(words),
  ]);
  const others = (contents.more ?? []).map(({ name, folder }) => [link(`${folder}/${INDEX}`, name)]);
  const sections = [
    section("Other clusters of the mesh", ["cluster"], others),
    section("Commands", ["command", "exit code", "said"], said),
    section("Proxies", ["proxy", "state"], proxyRows(contents, files)),
    section("Answers of pods", ["pod", "port", "path", "answered"], answerRows(contents)),
    section(
      "Logs",
      ["pod", "container"],
      logs.map(({ namespace, pod, container, file }) => [link(file, `${pod}.${namespace}`), escape(container)]),
    ),
    section("Objects", ["kind", "count"], objectRows(contents)),
    section(
      "Left out",
      ["what", "why"],
      leftOut.map(({ what, why }) => [escape(what), escape(why)]),
    ),
    section(
      "Taken out",
      ["what", "how many"],
      Object.entries(redacted).map(([what, count]) => [escape(what), String(count)]),
    ),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(context.name)}: bug report of meshctl</title><style>${STYLE}</style></head><body>
<h1>${escape(context.name)}</h1>
<p>${escape(of)} Every read-only command runs on this file: <code>meshctl proxy-status --bundle FILE</code>.</p>
${sections.join("\n")}
</body></html>
`;
}

const STYLE = `body{font:14px/1.4 sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse}
td,th{padding:.2em 1em .2em 0;text-align:left;vertical-align:top}h2{margin-top:1.5em}`;

function answerRows({ answers }: BundleContents): string[][] {
  return answers.map(({ namespace, pod, port, path, file = "", status, problem }) => [
    escape(`${pod}.${namespace}`),
    String(port),
    link(file, path),
    escape(problem?.words ?? String(status)),
  ]);
}

function objectRows({ kinds }: BundleContents): string[][] {
  return kinds
    .filter(({ objects = 0, problem }) => objects > 0 || problem !== undefined)
    .map(({ apiVersion, kind, file = "", objects, problem }) => [
      link(file, `${kind} (${apiVersion})`),
      escape(problem?.words ?? String(objects)),
    ]);
}

/** Name and state of each proxy, as proxy-status said it. */
function proxyRows({ commands }: BundleContents, files: BundleFiles): string[][] {
  const file = commands.find(({ line }) => line === "proxy-status")?.file ?? "";
  try {
    const told = JSON.parse(files.get(file)?.toString("utf8") ?? "[]") as {
      name: string;
      namespace: string;
      status: string;
    }[];
    return told.map(({ name, namespace, status }) => [escape(`${name}.${namespace}`), escape(status)]);
  } catch {
    return [];
  }
}

/** A heading and a table; nothing for no rows. Cells are HTML. */
function section(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<h2>${escape(title)}</h2><table>${cells(columns.map(escape), "th")}${rows.map((row) => cells(row, "td")).join("\n")}</table>`;
}

function link(file: string, words: string): string {
  return file === "" ? escape(words) : `<a href="${escape(encodeURI(file))}">${escape(words)}</a>`;
}

const SIGNS: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escape(text: string): string {
  return text.replaceAll(/[&<>"]/g, (sign) => SIGNS[sign] ?? sign);
}
