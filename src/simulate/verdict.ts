/** A condition that did not hold, in Envoy's terms, for people and for tests. */
export interface Miss {
  /** Which condition: `path`, `header x-user`, `query parameter v`, `domain`, `server name` … */
  readonly condition: string;
  /** What it asked for, e.g. `prefix "/api"`. */
  readonly wanted: string;
  /** What the request had; undefined: nothing. */
  readonly got: string | undefined;
}

/** A candidate that was looked at and lost. */
export interface Rejected {
  readonly name: string;
  readonly miss: Miss;
}

/** `undefined` when a condition holds, else what it missed. */
export type Check = Miss | undefined;
