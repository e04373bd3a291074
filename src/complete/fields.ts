import { explain } from "../commands/explain-data.ts";
import { lookUp } from "../commands/explain-lookup.ts";
import { codes } from "../diagnostics/codes.ts";
import { type ExplainEntry, explainEntries } from "../gen/explain-index.ts";
import { profileNames } from "../install/profiles.ts";
import { isGroupType, schemaPlace } from "../install/schema-place.ts";
import { equalsAt, parseSetPath, resolveSteps } from "../install/set-path.ts";
import type { Candidate, Candidates } from "./question.ts";

/** What `explain` takes: kinds by all their names, codes, and below a kind its fields. */
export async function explainable(word: string): Promise<Candidates> {
  const dot = word.lastIndexOf(".");
  if (dot < 0) {
    const kinds = explainEntries.flatMap((entry) =>
      namesOf(entry).map((value): Candidate => ({ value, about: firstSentence(entry.summary) })),
    );
    return { list: [...kinds, ...Object.entries(codes).map(([value, { name }]) => ({ value, about: name }))] };
  }
  const path = word.slice(0, dot);
  const { fields } = await explain(lookUp(path));
  const list = fields.map(({ name, description }) => ({ value: `${path}.${name}`, about: firstSentence(description) }));
  const only = list.filter(({ value }) => value.startsWith(word));
  return { list, isOpen: only.length === 1 };
}

function namesOf({ name, plural, shortNames = [] }: ExplainEntry): readonly string[] {
  return [name, ...(plural === undefined ? [] : [plural]), ...shortNames];
}

function firstSentence(text: string): string {
  return text.split(/(?<=[.:]) |\n/)[0] ?? "";
}

/** What `--set` takes: the settings of IstioOperator, `path.` while there is more below, `path=` at a value. */
export function settings(word: string): Candidates {
  const equals = equalsAt(word);
  if (equals >= 0) return { list: valuesOf(word.slice(0, equals)).map((value) => ({ value })) };
  const dot = word.lastIndexOf(".");
  const path = word.slice(0, Math.max(dot, 0));
  const steps = segmentsOf(path);
  const place = steps === undefined ? undefined : schemaPlace([...steps, " "]);
  if (place === undefined || "type" in place) return { list: [] };
  const list = place.names
    .filter((name) => !name.startsWith("["))
    .map((name) => {
      const full = path === "" ? name : `${path}.${name}`;
      const below = schemaPlace([...(steps ?? []), name]);
      const isGroup = "type" in below && isGroupType(below.type) && !below.type.startsWith("[]");
      return { value: isGroup ? `${full}.` : `${full}=` };
    });
  return { list, isOpen: true };
}

function valuesOf(path: string): readonly string[] {
  if (path === "profile") return profileNames().map((name) => `${path}=${name}`);
  const steps = segmentsOf(path);
  const place = steps === undefined ? undefined : schemaPlace(steps);
  return place !== undefined && "type" in place && place.type === "boolean" ? [`${path}=true`, `${path}=false`] : [];
}

/** Steps below the spec; an item of a list by its name counts as the first. */
function segmentsOf(path: string): readonly (string | number)[] | undefined {
  if (path === "") return [];
  const steps = parseSetPath(path);
  return steps === undefined ? undefined : resolveSteps(steps, {});
}
