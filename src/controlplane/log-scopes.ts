import type { Logger } from "../base/logger.ts";
import { type Answer, json } from "./http.ts";
import type { Question } from "./debug-question.ts";

/** Parts of the control plane whose log has a level of its own, with what they do. */
const SCOPES = {
  ads: "Streams of proxies: who connects, what is pushed, confirmed and refused",
  analysis: "Findings about the mesh's configuration",
  ca: "The authority and the certificates that it signs",
  default: "Everything else",
  gateway: "Status of Ingresses and Gateway API, pods of Gateways",
  injection: "Webhooks: injection and validation",
  jwks: "Keys of token issuers",
  kube: "Watches of the API server",
  leader: "Which instance writes shared objects",
  registry: "Objects from files and foreign catalogs",
} as const;

/** Name of a scope. */
export type LogScope = keyof typeof SCOPES;

const LEVELS = ["debug", "info", "warn", "error", "none"] as const;
/** From what on a scope says something; `none` says nothing. */
export type LogLevel = (typeof LEVELS)[number];

/** Levels by scope; those left out have the level of `default`. */
export type ScopeLevels = Readonly<Partial<Record<LogScope, LogLevel>>>;

/** The log of one control plane, in scopes whose levels can change while it runs. */
export interface LogScopes {
  readonly scope: (name: LogScope) => Logger;
  readonly level: (name: LogScope) => LogLevel;
  readonly set: (levels: ScopeLevels) => void;
  /** The levels that it started with. */
  readonly reset: () => void;
}

/** Scopes over a log that writes everything. */
export function createLogScopes(log: Logger, start: ScopeLevels): LogScopes {
  let levels = start;
  const levelOf = (name: LogScope): LogLevel => levels[name] ?? levels.default ?? "info";
  const says = (name: LogScope, level: LogLevel): boolean => LEVELS.indexOf(levelOf(name)) <= LEVELS.indexOf(level);
  return {
    scope: (scope) => ({
      debug: (fields, words) => says(scope, "debug") && log.debug({ scope, ...fields }, words),
      info: (fields, words) => says(scope, "info") && log.info({ scope, ...fields }, words),
      warn: (fields, words) => says(scope, "warn") && log.warn({ scope, ...fields }, words),
      error: (fields, words) => says(scope, "error") && log.error({ scope, ...fields }, words),
    }),
    level: levelOf,
    set(wanted) {
      levels = { ...levels, ...wanted };
    },
    reset() {
      levels = start;
    },
  };
}

/** What a text asks for. Istio has more scopes than we have parts. */
export interface ReadLevels {
  readonly levels: ScopeLevels;
  readonly unknown: readonly string[];
}

/**
 * Reads `info`, or `ads:debug,default:warn` as Istio's --log_output_level has it; a level alone is that of every scope. A text is
 * what is wrong with it.
 */
export function readLevels(text: string): ReadLevels | string {
  const levels: Partial<Record<LogScope, LogLevel>> = {};
  const unknown: string[] = [];
  for (const part of text.split(",").filter((each) => each.trim() !== "")) {
    const [first = "", second] = part.trim().split(":");
    const level = (second ?? first) as LogLevel;
    if (!LEVELS.includes(level)) return `expected a level (${LEVELS.join(", ")}), got "${part}"`;
    if (second === undefined || first === "all")
      for (const name of Object.keys(SCOPES)) levels[name as LogScope] = level;
    else if (Object.hasOwn(SCOPES, first)) levels[first as LogScope] = level;
    else unknown.push(first);
  }
  return { levels, unknown };
}

/** Answers /debug/scopez: the levels; by POST `?level=ads:debug` changes them, `?reset` gives those of the start. */
export function scopesQuestion(scopes: LogScopes): Question {
  const list = (): Answer =>
    json(
      Object.entries(SCOPES).map(([name, description]) => ({
        scope_name: name,
        log_level: scopes.level(name as LogScope),
        stack_trace_level: "none",
        description,
      })),
    );
  return {
    answer: list,
    change(url) {
      const read = readLevels(url.searchParams.get("level") ?? "");
      if (typeof read === "string") return { status: 400, body: `${read}\n` };
      const [unknown] = read.unknown;
      if (unknown !== undefined)
        return { status: 400, body: `expected a scope (${Object.keys(SCOPES).join(", ")}), got "${unknown}"\n` };
      if (url.searchParams.has("reset")) scopes.reset();
      scopes.set(read.levels);
      return list();
    },
  };
}
