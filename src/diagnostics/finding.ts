/** Severity of a finding, in istioctl's words. */
export type Level = "Info" | "Warning" | "Error";

/** A path into an object: keys and list indexes, e.g. `["spec", "http", 0, "route"]`. */
export type FieldPath = readonly (string | number)[];

/** Which object a finding, a piece of IR or a message is about. `namespace` is "" for cluster-scoped objects. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A place in a file. Lines and columns start at 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Another place that a finding is about: the other side of a conflict. */
export interface RelatedPlace {
  readonly object: ObjectRef | undefined;
  readonly path: FieldPath;
  /** Found by the engine, as the finding's own. */
  readonly position: SourcePosition | undefined;
  /** What stands there, as part of a sentence: `the other route for this host`. */
  readonly words: string;
}

/**
 * One thing to tell the user. Words are rendered at the edge from the code's record and `args`; positions are found by the
 * engine from `path` (nearest existing parent when the field is missing).
 */
export interface Finding {
  readonly code: string;
  readonly level: Level;
  readonly object: ObjectRef | undefined;
  readonly path: FieldPath;
  readonly args: Readonly<Record<string, string | number>>;
  readonly position: SourcePosition | undefined;
  /** The other places it is about, in the order in which to read them. */
  readonly related?: readonly RelatedPlace[];
  /** Which cluster, when there are several. */
  readonly cluster?: string;
}
