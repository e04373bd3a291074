import { UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { embedded } from "../gen/embedded.ts";
import { parseYaml } from "../resources/yaml-plain.ts";

const PROFILE = /^profiles\/(.+)\.yaml$/;

/** Names of the bundled profiles, sorted. */
export function profileNames(): string[] {
  return Object.keys(embedded)
    .flatMap((file) => PROFILE.exec(file)?.[1] ?? [])
    .sort();
}

/** What a profile sets on top of `default`, as its file says it. Throws UsageError, with the name that was probably meant. */
export function readProfile(name: string): Readonly<Record<string, unknown>> {
  return (parseYaml(textOf(name)) ?? {}) as Readonly<Record<string, unknown>>;
}

/** What a profile is for: the comment at the top of its file, without the name. */
export function profileSummary(name: string): string {
  const lines: string[] = [];
  for (const line of textOf(name).split("\n")) {
    if (!line.startsWith("#")) break;
    lines.push(line.slice(1).trim());
  }
  return lines.join(" ").replace(/^Profile "[^"]+": /, "");
}

function textOf(name: string): string {
  const text = embedded[`profiles/${name}.yaml`];
  if (text !== undefined) return text;
  const close = nearest(name, profileNames());
  const hint = close === undefined ? `Choose one of ${profileNames().join(", ")}.` : `Did you mean ${close}?`;
  throw new UsageError(`unknown profile "${name}"`, hint);
}
