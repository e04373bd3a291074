import { finding } from "../../diagnostics/codes.ts";
import type { Finding } from "../../diagnostics/finding.ts";
import { globPattern, isKnownCode, objectPattern, type Suppression } from "../../diagnostics/suppressions.ts";
import { type IgnoreComment, ignoreComments } from "../../resources/ignore-comments.ts";
import type { SourcedObject, SourceText } from "../../resources/manifests.ts";
import { type KubeObject, refOf } from "../../resources/object.ts";
import type { ProjectFile } from "./project-file.ts";

/** Decisions of a run, and what is wrong with them. */
export interface Decisions {
  readonly suppressions: readonly Suppression[];
  readonly findings: readonly Finding[];
  /** For stderr. */
  readonly warnings: readonly string[];
}

/** Where decisions may stand. */
export interface DecisionSources {
  readonly texts: readonly SourceText[];
  readonly objects: readonly SourcedObject[];
  readonly live: readonly KubeObject[];
  /** Values of `-S`. */
  readonly flags: readonly string[];
  readonly project: ProjectFile | undefined;
}

/** Every decision: comments and annotations in the files, annotations in the cluster, flags, the project file. */
export function readDecisions({ texts, objects, live, flags, project }: DecisionSources): Decisions {
  const comments = texts.flatMap(({ file, text }) => ignoreComments(file, text)).map(ofComment);
  const annotations = [
    ...objects.flatMap(({ object, position }) =>
      ofAnnotation(object, () => position(["metadata", "annotations", SUPPRESS])),
    ),
    ...live.flatMap((object) => ofAnnotation(object, () => undefined)),
  ];
  const options = flags.map(ofFlag);
  return {
    suppressions: [
      ...comments.flatMap((each) => ("problem" in each ? [] : [each])),
      ...annotations,
      ...options.flatMap((each) => ("warning" in each ? [] : [each])),
      ...(project === undefined ? [] : ofProject(project)),
    ],
    findings: comments.flatMap((each) => ("problem" in each ? [each.problem] : [])),
    warnings: options.flatMap((each) => ("warning" in each ? [each.warning] : [])),
  };
}

function ofComment(comment: IgnoreComment): Suppression | { readonly problem: Finding } {
  const { position, text, lines, codes, reason, until } = comment;
  const unknown = codes.filter((code) => code !== "*" && !isKnownCode(code));
  const problem =
    codes.length === 0
      ? "it names no code"
      : unknown.length > 0
        ? `there is no code ${unknown.join(", ")}`
        : until !== undefined && Number.isNaN(Date.parse(until))
          ? `${until} is no date`
          : undefined;
  if (problem !== undefined)
    return { problem: finding("MSH0012", { object: undefined, position }, { suppression: text, problem }) };
  const [first, last] = lines;
  const meant = ({ position: at }: Finding): boolean =>
    at !== undefined && at.file === position.file && at.line >= first && at.line <= last;
  return { codes, meant, by: "source", reason, words: text, position, ...(until === undefined ? {} : { until }) };
}

/** Istio's annotation with codes that are not to be told for the object. */
const SUPPRESS = "galley.istio.io/analyze-suppress";

function ofAnnotation(object: KubeObject, locate: () => Finding["position"]): readonly Suppression[] {
  const value: unknown = object.metadata.annotations?.[SUPPRESS];
  if (typeof value !== "string") return [];
  const ref = refOf(object);
  const position = locate();
  const meant = ({ object: other }: Finding): boolean =>
    other?.kind === ref.kind && other.namespace === ref.namespace && other.name === ref.name;
  return value
    .split(",")
    .map((code) => code.trim())
    .filter((code) => code !== "")
    .map((code) => ({
      codes: [code],
      meant,
      by: "source" as const,
      reason: "",
      words: `annotation ${SUPPRESS}: ${code}`,
      object: ref,
      ...(position === undefined ? {} : { position }),
    }));
}

function ofFlag(flag: string): Suppression | { readonly warning: string } {
  const at = flag.indexOf("=");
  const code = (at < 0 ? flag : flag.slice(0, at)).trim();
  const pattern = at < 0 ? "*" : flag.slice(at + 1).trim();
  if (code !== "*" && !isKnownCode(code))
    return {
      warning: `Warning: Supplied message code '${code}' is an unknown message code and will not have any effect.`,
    };
  const matches = objectPattern(pattern);
  return {
    codes: [code],
    meant: ({ object }) => matches(object),
    by: "outside",
    reason: "",
    words: `-S '${flag}'`,
  };
}

function ofProject(project: ProjectFile): readonly Suppression[] {
  return (project.settings.suppressions ?? []).map(({ code, object = "*", path = "*", reason, until }) => {
    const matches = objectPattern(object);
    const inFile = globPattern(path);
    const meant = ({ object: ref, position }: Finding): boolean =>
      matches(ref) && (path === "*" || (position !== undefined && inFile(project.within(position.file))));
    const about = [object === "*" ? "" : ` for ${object}`, path === "*" ? "" : ` in ${path}`].join("");
    return {
      codes: [code],
      meant,
      by: "outside" as const,
      reason,
      words: `the suppression of ${code}${about} in ${project.file}`,
      ...(until === undefined ? {} : { until }),
    };
  });
}
