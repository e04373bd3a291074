import type { KubeObject } from "../resources/object.ts";

/** A source of objects beside the API server: a folder of files, a foreign catalog of services. */
export interface Registry {
  /** For messages: `files /etc/mesh`, `consul http://…`. */
  readonly name: string;
  /**
   * Runs until the signal aborts, whatever fails meanwhile. Calls `put` with all its objects once it has them, and again whenever
   * some of them changed; what `put` was not given any more is gone.
   */
  run(put: (objects: readonly KubeObject[]) => void, signal: AbortSignal): Promise<void>;
}
