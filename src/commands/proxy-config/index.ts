import { EnvironmentError, UsageError } from "../../base/errors.ts";
import { table } from "../../report/table.ts";
import { toYaml } from "../../resources/yaml-plain.ts";
import { switchOption, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { bootstrap } from "./bootstrap.ts";
import { clusters } from "./clusters.ts";
import { ecds } from "./ecds.ts";
import { eds } from "./eds.ts";
import { endpoints } from "./endpoints.ts";
import { listeners } from "./listeners.ts";
import { routes } from "./routes.ts";
import { chains, secret } from "./secret.ts";
import { type ProxySource, proxySource } from "./source.ts";
import { type Data, sections, sorted, type View, type Wanted } from "./view.ts";
import { whyTables } from "./why.ts";

/** Every view by the word after `proxy-config`. */
export const views: Readonly<Record<string, View>> = {
  bootstrap,
  clusters,
  ecds,
  eds,
  endpoints,
  listeners,
  routes,
  secret,
};

/** What the view showed: rows of the table. */
export interface ProxyConfigResult extends CommandResult {
  readonly rows: readonly (readonly string[])[];
}

/** `meshctl proxy-config <view> POD`: asks the proxy itself, at its admin port, or a dump of it, what it holds. */
export async function runView(name: string, input: CommandInput, io: Io): Promise<ProxyConfigResult> {
  const view = viewOf(name);
  const source = await proxySource(input, io);
  const items = narrowed(view, itemsOf(view, await source.get(view.path), source), input);
  const shown = shownAs(name, items, input, io);
  const output = textOption(input, "output");
  if (output === "json" || output === "yaml") {
    const data = view.data === undefined ? items : view.data(items);
    io.out(output === "yaml" ? toYaml(data) : `${JSON.stringify(data, undefined, 4)}\n`);
  } else io.out(textOf(view, items, input) ?? table(shown.columns, shown.rows));
  return { exitCode: 0, rows: shown.rows };
}

/** What a view shows of an answer. Throws EnvironmentError for a dump without what every proxy has: an empty table would say otherwise. */
function itemsOf(view: View, answer: unknown, { name }: ProxySource): readonly Data[] {
  if (view.needs !== undefined && sections(answer, view.needs).length === 0)
    throw new EnvironmentError("not-in-dump", `${name} holds no ${view.needs}`, {
      hint: "Take the dump whole: meshctl proxy-config all POD -o json.",
    });
  return view.items(answer);
}

function textOf(view: View, items: readonly Data[], input: CommandInput): string | undefined {
  return switchOption(input, "summary") ? undefined : view.text?.(items);
}

function viewOf(name: string): View {
  const view = views[name];
  if (view === undefined) throw new UsageError(`there is no view "${name}"`);
  return view;
}

/** Views of `proxy-config all`, in istioctl's order, and what `--with-headers` calls them. */
const ALL: Readonly<Record<string, string>> = {
  bootstrap: "BOOTSTRAP",
  clusters: "CLUSTER",
  listeners: "LISTENER",
  routes: "ROUTE",
  secret: "SECRET",
  endpoints: "ENDPOINT",
  ecds: "ECDS",
};

/** `meshctl proxy-config all POD`: every table one after the other; as data the dump itself, with endpoints. */
export async function runAll(input: CommandInput, io: Io): Promise<CommandResult> {
  const source = await proxySource(input, io);
  const output = textOption(input, "output");
  if (output === "json" || output === "yaml") {
    const dump = await source.get(eds.path);
    io.out(output === "yaml" ? toYaml(dump) : `${JSON.stringify(dump, undefined, 4)}\n`);
    return { exitCode: 0 };
  }
  const get = remembering(source);
  const tables: string[] = [];
  for (const [name, title] of Object.entries(ALL)) {
    const view = viewOf(name);
    const items = narrowed(view, itemsOf(view, await get(view.path), source), input);
    const { columns, rows } = withNames({ name, title }, items, input, io);
    const header = switchOption(input, "withHeaders") ? `------ ${title} INFO ------\n` : "";
    if (rows.length > 0) tables.push(`${header}${textOf(view, items, input) ?? table(columns, rows)}`);
  }
  io.out(tables.join("\n"));
  return { exitCode: 0 };
}

/** Each row says what it is of, as istioctl's do where tables follow each other: `cluster/outbound|80||web.shop.svc.cluster.local`. */
function withNames(
  { name, title }: { readonly name: string; readonly title: string },
  items: readonly Data[],
  input: CommandInput,
  io: Io,
): ReturnType<typeof shownAs> {
  const { columns, rows } = shownAs(name, items, input, io);
  if (switchOption(input, "summary")) return { columns, rows };
  const { nameOf } = viewOf(name);
  const of = title.toLowerCase();
  if (nameOf === undefined) return { columns, rows: rows.map(([first = "", ...rest]) => [`${of}/${first}`, ...rest]) };
  const named = items.flatMap((item) =>
    shownAs(name, [item], input, io).rows.map((row) => [`${of}/${nameOf(item)}`, ...row]),
  );
  return { columns: ["NAME", ...columns], rows: sorted(named) };
}

/** One question each: the views of one answer agree. */
function remembering({ get }: ProxySource): ProxySource["get"] {
  const known = new Map<string, Promise<unknown>>();
  return (path) => {
    const answer = known.get(path) ?? get(path);
    known.set(path, answer);
    return answer;
  };
}

function narrowed(view: View, items: readonly Data[], { options }: CommandInput): readonly Data[] {
  const { narrow } = view;
  return narrow === undefined ? items : items.flatMap<Data>((item) => narrow(item, options as Wanted) ?? []);
}

/** The table that the flags ask for. */
function shownAs(
  name: string,
  items: readonly Data[],
  input: CommandInput,
  io: Io,
): { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] } {
  const view = viewOf(name);
  const why = switchOption(input, "why") ? whyTables[name]?.(items) : undefined;
  if (why !== undefined) return why;
  if (switchOption(input, "summary")) return summary(view, items);
  const brief = input.options["verbose"] === "false" ? view.brief : undefined;
  const { columns, rows } = brief ?? (name === "secret" && switchOption(input, "chain") ? chains : view);
  return { columns, rows: rows(items, io.now()) };
}

/** How many there are of each sort. */
function summary({ counted }: View, items: readonly Data[]): { columns: readonly string[]; rows: string[][] } {
  const counts = new Map<string, number>();
  for (const item of items) {
    const words = (counted?.(item) ?? []).join(" ");
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const rows = [...counts].map(([words, count]) => [String(count), words]).sort((a, b) => Number(b[0]) - Number(a[0]));
  return { columns: ["COUNT", "OF"], rows: [...rows, [String(items.length), "all"]] };
}
