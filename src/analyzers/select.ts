import { UsageError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { Analyzer, Profile } from "./analyzer.ts";
import { istioctlNames } from "./istioctl-names.ts";

/** What to run. */
export interface Selection {
  /** Names, ours or istioctl's; none: all of the profiles. */
  readonly names: readonly string[];
  /** Profiles besides `default`. */
  readonly profiles: readonly Profile[];
}

/**
 * The analyzers of a selection. A name of istioctl gives all that look for what that one looks for; those named run whatever
 * their profile. Throws UsageError for an unknown name.
 */
export function selectAnalyzers(analyzers: readonly Analyzer[], { names, profiles }: Selection): readonly Analyzer[] {
  if (names.length === 0) return analyzers.filter(({ profile }) => profile === "default" || profiles.includes(profile));
  const wanted = new Set(names.flatMap((name) => namedBy(analyzers, name)));
  return analyzers.filter(({ name }) => wanted.has(name));
}

function namedBy(analyzers: readonly Analyzer[], name: string): readonly string[] {
  if (analyzers.some((analyzer) => analyzer.name === name)) return [name];
  // validation of single objects always runs
  if (name.startsWith("schema.ValidationAnalyzer")) return [];
  const codes = istioctlNames[name];
  if (codes !== undefined)
    return analyzers.flatMap((each) => (each.codes.some((code) => codes.includes(code)) ? [each.name] : []));
  const close = nearest(name, [...analyzers.map((analyzer) => analyzer.name), ...Object.keys(istioctlNames)]);
  throw new UsageError(
    `unknown analyzer "${name}"`,
    close === undefined ? "Run meshctl analyze --list-analyzers for their names." : `Did you mean ${close}?`,
  );
}
