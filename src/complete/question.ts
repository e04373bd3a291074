import type { Cluster } from "../resources/cluster.ts";

/** A value that can stand there. */
export interface Candidate {
  readonly value: string;
  readonly about?: string;
}

/** What can stand there, and what the shell does with it. */
export interface Candidates {
  readonly list: readonly Candidate[];
  /** The shell offers its own files or folders instead. */
  readonly files?: "all" | "folders";
  /** No space after the value: it goes on. */
  readonly isOpen?: boolean;
}

/** What candidates may come from: the word so far, the flags so far, files and the cluster. */
export interface Question {
  readonly word: string;
  readonly flag: (name: string) => string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly cluster: () => Promise<Cluster>;
  /** Ends what takes too long: nobody waits for completion. */
  readonly signal: AbortSignal;
}
