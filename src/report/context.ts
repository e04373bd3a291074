import type { Finding, SourcePosition } from "../diagnostics/finding.ts";

/** What a reporter may use besides the findings. */
export interface ReportContext {
  /** Colours, grouping by file, and lines of the source with a caret. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The line of a file as it stands there, for the excerpt. */
  readonly sourceLine: (position: SourcePosition) => string | undefined;
  /** What the run was, besides its findings. Absent: nothing to tell. */
  readonly summary?: ReportSummary;
}

/** What a run looked at and what it left out: every format carries it where it has a place for it. */
export interface ReportSummary {
  /** Version of meshctl, for formats that name their tool. */
  readonly version?: string;
  /** Objects that were looked at. */
  readonly objects?: number;
  /** Analyzers (or other checks) that did not run, each with its reason, as part of a sentence: `needs a cluster`. */
  readonly skipped?: readonly { readonly name: string; readonly reason: string }[];
  /** What could not be judged, in words; equal words are told once. */
  readonly notChecked?: readonly string[];
  /** Findings that somebody decided not to hear of. Formats that know suppression list them; the others give their number. */
  readonly suppressed?: readonly SuppressedFinding[];
  /** Whether a finding was there before, when there is something to compare with. */
  readonly stateOf?: (finding: Finding) => "new" | "unchanged" | undefined;
  /** Findings of the earlier state that are gone. */
  readonly fixed?: number;
}

/** A finding, and who decided against it: a comment or annotation in the source, or a flag, project file or baseline. */
export interface SuppressedFinding {
  readonly finding: Finding;
  readonly by: "source" | "outside";
  /** The reason that was given; "" for none. */
  readonly reason: string;
}

/** Findings and context as text. Pure; ends with a line end unless empty. */
export type Reporter = (findings: readonly Finding[], context: ReportContext) => string;
