import { UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { type ExplainEntry, explainEntries } from "../gen/explain-index.ts";

/** What a user's words name: an entry and the fields below it. */
export interface Wanted {
  readonly entry: ExplainEntry;
  readonly steps: readonly string[];
  /** Other kinds of the same name, by the name they can be asked for. */
  readonly others: readonly string[];
}

/** Other words for configurations. */
const ALIASES: Readonly<Record<string, string>> = {
  "proxy.istio.io/config": "MeshProxyConfig",
  mesh: "MeshConfig",
  "meshconfig.defaultconfig": "MeshProxyConfig",
  iop: "IstioOperator",
};

/**
 * Reads `KIND[.field]…`: a kind by its name, plural, singular or short name in any case, with its group behind it where it has to be told
 * (`gateways.gateway.networking.k8s.io.spec`), or a configuration. Throws UsageError with the nearest name.
 */
export function lookUp(text: string): Wanted {
  const alias = ALIASES[text.toLowerCase()];
  const byGroup = explainEntries.find((entry) => namesOf(entry, true).some((name) => isPrefix(name, text)));
  if (byGroup !== undefined) {
    const name = namesOf(byGroup, true).find((each) => isPrefix(each, text)) ?? "";
    return { entry: byGroup, steps: stepsOf(text.slice(name.length)), others: [] };
  }
  const [first = "", ...steps] = (alias ?? text).split(".");
  const asked = first.toLowerCase();
  const found = explainEntries.filter((entry) => namesOf(entry, false).includes(asked));
  // one of two kinds has the name for itself, the other only at the API server
  const [entry, ...others] = [...found].sort((a, b) => rank(a, asked) - rank(b, asked));
  if (entry === undefined) throw unknownName(first);
  return { entry, steps: cleaned(steps), others: others.map(({ name }) => name) };
}

function rank({ name }: ExplainEntry, asked: string): number {
  return name.toLowerCase() === asked ? 0 : 1;
}

function namesOf({ name, kind, plural, shortNames = [], group }: ExplainEntry, withGroup: boolean): readonly string[] {
  const names = [...new Set([name, kind ?? name, plural ?? name, ...shortNames].map((each) => each.toLowerCase()))];
  return withGroup ? (group === undefined ? [] : names.map((each) => `${each}.${group}`)) : names;
}

function isPrefix(name: string, text: string): boolean {
  const lower = text.toLowerCase();
  return lower === name || lower.startsWith(`${name}.`);
}

function stepsOf(rest: string): readonly string[] {
  return cleaned(rest.split("."));
}

/** Field names without list indexes: `http[0]` and `http[]` are `http`. */
function cleaned(steps: readonly string[]): readonly string[] {
  return steps.map((step) => step.replace(/\[\d*\]$/, "")).filter((step) => step !== "");
}

function unknownName(name: string): UsageError {
  const names = explainEntries.flatMap((entry) => [
    entry.name,
    ...(entry.shortNames ?? []),
    entry.plural ?? entry.name,
  ]);
  const close = nearest(name, names);
  const hint =
    close === undefined ? "Run meshctl explain for everything that can be explained." : `Did you mean ${close}?`;
  return new UsageError(`nothing is called ${name}`, hint);
}
