/** A predicate over labels. */
export type LabelMatch = (labels: Readonly<Record<string, unknown>>) => boolean;

function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index];
    if (char === "(") depth++;
    if (char === ")") depth--;
    if (char === "," && depth === 0) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

const requirement = /^(?<not>!\s*)?(?<key>[A-Za-z0-9._/-]+)\s*(?:(?<op>==|=|!=|>|<|\bin\b|\bnotin\b)\s*(?<value>.*))?$/;

function labelRequirement(text: string): LabelMatch {
  const parts = requirement.exec(text)?.groups;
  if (parts === undefined) throw new SyntaxError(`unable to parse requirement: ${text}`);
  const { not, key = "", op, value = "" } = parts;
  if (op === undefined) return (labels) => Object.hasOwn(labels, key) === (not === undefined);
  if (op !== "in" && op !== "notin" && !/^[A-Za-z0-9._-]*$/.test(value)) {
    throw new SyntaxError(`unable to parse requirement: ${text}: ${value} is not a label value`);
  }
  return comparison(key, op, value);
}

function comparison(key: string, op: string, value: string): LabelMatch {
  const has = (labels: Readonly<Record<string, unknown>>): boolean => Object.hasOwn(labels, key);
  const list = /^\((.*)\)$/.exec(value.trim())?.[1]?.split(",") ?? [];
  const values = list.map((item) => item.trim());
  switch (op) {
    case "in":
      return (labels) => has(labels) && values.includes(String(labels[key]));
    case "notin":
      return (labels) => !has(labels) || !values.includes(String(labels[key]));
    case "!=":
      return (labels) => labels[key] !== value;
    case ">":
      return (labels) => has(labels) && Number(labels[key]) > Number(value);
    case "<":
      return (labels) => has(labels) && Number(labels[key]) < Number(value);
    default:
      return (labels) => labels[key] === value;
  }
}

/** Parses the query form of a label selector, e.g. `app=web,track in (a,b),!old`. Throws SyntaxError. */
export function parseLabelQuery(text: string): LabelMatch {
  const checks = splitTopLevel(text).map(labelRequirement);
  return (labels) => checks.every((check) => check(labels));
}
