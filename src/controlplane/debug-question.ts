import type { Answer } from "./http.ts";

/** What answers one question of /debug. */
export interface Question {
  readonly answer: (url: URL) => Answer | Promise<Answer>;
  /** It can be asked by POST, and then changes something. */
  readonly change?: (url: URL) => Answer | Promise<Answer>;
}
