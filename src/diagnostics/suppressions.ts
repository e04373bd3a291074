import { codes, type FindingPlace, finding } from "./codes.ts";
import type { Finding, ObjectRef, SourcePosition } from "./finding.ts";

/** A decision not to hear of some findings. */
export interface Suppression {
  /** Codes it is about; `*` means every code. */
  readonly codes: readonly string[];
  /** Whether a finding of such a code is meant. */
  readonly meant: (finding: Finding) => boolean;
  /** `source`: it stands in the files. `outside`: a flag, the project file. */
  readonly by: "source" | "outside";
  /** Why; "" when nothing was said. */
  readonly reason: string;
  /** Last day on which it counts (`2027-01-01`); absent: for ever. */
  readonly until?: string;
  /** What messages call it, e.g. `# meshctl:ignore IST0101`. */
  readonly words: string;
  /** Where it stands. */
  readonly object?: ObjectRef;
  readonly position?: SourcePosition;
}

/** A finding that is not told, and the decision that is why. */
export interface Suppressed {
  readonly finding: Finding;
  readonly suppression: Suppression;
}

/** Findings after suppression. */
export interface Sifted {
  /** What is told: findings that nobody decided against, and those about the decisions themselves. */
  readonly findings: readonly Finding[];
  readonly suppressed: readonly Suppressed[];
}

export interface SiftOptions {
  readonly now: Date;
  /** Whether this run could have found everything of a code: else a suppression of it is not called unused. */
  readonly judged: (code: string) => boolean;
}

/**
 * Takes out what somebody decided not to hear of. A decision past its last day does not count and is told (MSH0011), and so is
 * one that nothing was found for (MSH0010).
 */
export function sift(findings: readonly Finding[], suppressions: readonly Suppression[], options: SiftOptions): Sifted {
  if (suppressions.length === 0) return { findings, suppressed: [] };
  const today = options.now.toISOString().slice(0, 10);
  const expired = suppressions.filter(({ until }) => until !== undefined && until < today);
  const counting = suppressions.filter((each) => !expired.includes(each));
  const byCode = grouped(counting);
  const used = new Set<Suppression>();
  const kept: Finding[] = [];
  const suppressed: Suppressed[] = [];
  for (const found of findings) {
    const all = [...(byCode.get(found.code) ?? []), ...(byCode.get("*") ?? [])].filter(({ meant }) => meant(found));
    for (const each of all) used.add(each);
    const [first] = all;
    if (first === undefined) kept.push(found);
    else suppressed.push({ finding: found, suppression: first });
  }
  const unused = counting.filter((each) => !used.has(each) && each.codes.every(options.judged));
  const told = [
    ...expired.map((each) => finding("MSH0011", placeOf(each), { suppression: each.words, until: each.until ?? "" })),
    ...unused.map((each) => finding("MSH0010", placeOf(each), { suppression: each.words })),
  ];
  return { findings: [...kept, ...told], suppressed };
}

function placeOf({ object, position }: Suppression): FindingPlace {
  return { object, ...(position === undefined ? {} : { position }) };
}

function grouped(suppressions: readonly Suppression[]): ReadonlyMap<string, readonly Suppression[]> {
  const byCode = new Map<string, Suppression[]>();
  for (const each of suppressions)
    for (const code of each.codes) {
      const listed = byCode.get(code);
      if (listed === undefined) byCode.set(code, [each]);
      else listed.push(each);
    }
  return byCode;
}

/** Whether a code is one of ours or of Istio's that is raised. */
export function isKnownCode(code: string): boolean {
  return Object.hasOwn(codes, code);
}

/**
 * A pattern over `Kind namespace/name` (cluster-scoped: `Kind name`), with `*` for any text and `?` for one character; istioctl's
 * older form `Kind name.namespace` is read too.
 */
export function objectPattern(pattern: string): (object: ObjectRef | undefined) => boolean {
  const test = globPattern(pattern);
  const older = globPattern(pattern.replace(/^(\S+) ([^/\s]+)\.([^./\s]+)$/, "$1 $3/$2"));
  return (object) => {
    if (object === undefined) return pattern === "*";
    const { kind, namespace, name } = object;
    const text = namespace === "" ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
    return test(text) || older(text);
  };
}

/** A pattern with `*` for any text (slashes too) and `?` for one character. */
export function globPattern(pattern: string): (text: string) => boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const expression = new RegExp(`^${source}$`, "s");
  return (text) => expression.test(text);
}
