/** Parts of a bundle that are known by name; everything else is named in its contents. */
export const CONTENTS = "bundle.json";
export const INDEX = "index.html";

/** Where an answer of a pod stands, or why there is none. */
export interface RecordedAnswer {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly status?: number;
  readonly file?: string;
  readonly problem?: Problem;
}

/** Why a question was not answered: code and words of the error. */
export interface Problem {
  readonly code: string;
  readonly words: string;
}

/** One kind of objects, as the cluster answered. */
export interface RecordedKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** False: the cluster has no such kind. */
  readonly served?: boolean;
  /** A List; absent when it was not to be had. */
  readonly file?: string;
  readonly objects?: number;
  readonly problem?: Problem;
}

export interface RecordedLog {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly file: string;
}

/** A command that was run while the bundle was made. */
export interface RecordedCommand {
  readonly line: string;
  readonly exitCode: number;
  readonly file: string;
  /** What it said on stderr. */
  readonly words?: string;
}

/** Another cluster of the mesh in the same bundle. */
export interface BundledCluster {
  readonly name: string;
  readonly folder: string;
}

/** What `bundle.json` says: which questions were asked, and where the answers stand. */
export interface BundleContents {
  /** Version of this form. */
  readonly format: 1;
  /** Of the meshctl that wrote it. */
  readonly meshctl: string;
  readonly createdAt: string;
  readonly context: { readonly name: string; readonly server: string };
  /** The mesh's further clusters, each with contents of its own in a folder; absent: there is one. */
  readonly more?: readonly BundledCluster[];
  readonly version?: { readonly gitVersion: string; readonly major: string; readonly minor: string };
  readonly kinds: readonly RecordedKind[];
  /** Answers about permissions, by question. */
  readonly access: Readonly<Record<string, boolean>>;
  readonly answers: readonly RecordedAnswer[];
  readonly logs: readonly RecordedLog[];
  readonly commands: readonly RecordedCommand[];
  /** What was not collected, and why. */
  readonly leftOut: readonly { readonly what: string; readonly why: string }[];
  /** How many values of each sort were taken out. */
  readonly redacted: Readonly<Record<string, number>>;
}

/** A permission question as a key of `access`. */
export function accessKey(question: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(question, Object.keys(question).sort());
}

/** Group and kind: answers hold for every version of it. */
export function kindKey({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): string {
  return `${apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : ""}/${kind}`;
}

/** An answer's key. */
export function answerKey(
  { namespace, pod, port }: { readonly namespace: string; readonly pod: string; readonly port: number },
  { method, path }: { readonly method: string; readonly path: string },
): string {
  return `${namespace}/${pod}:${port} ${method} ${path}`;
}
