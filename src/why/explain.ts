import { hypotheses } from "./hypotheses/order.ts";
import type { Cause, Change, Evidence, Facts, Guess } from "./types.ts";
import { refText, segments } from "./words.ts";

/** How long before the failure a change may be to have caused it. */
const RECENT_MS = 60 * 60_000;
/** What a recent change of the object adds to the weight of a cause. */
const CHANGED = 3;

/**
 * The causes that the facts speak for, the likeliest first. What the server's own proxy says of the same request counts
 * like the rest. Pure.
 */
export function explain(facts: Facts): readonly Cause[] {
  const here = hypotheses.flatMap(({ guess }) => guess(facts)).map((guess) => completed(guess, facts));
  const there = facts.behind === undefined ? [] : explain(facts.behind).map((cause) => continued(cause, facts));
  const causes = new Map<string, Cause>();
  for (const cause of [...here, ...there]) {
    const key = `${cause.code} ${cause.object} ${cause.field ?? ""}`;
    const known = causes.get(key);
    if (known === undefined || known.weight < cause.weight) causes.set(key, cause);
  }
  return [...causes.values()].toSorted((a, b) => b.weight - a.weight);
}

function completed({ object, ...guess }: Guess, facts: Facts): Cause {
  const text = refText(object);
  const position = facts.positionOf(object, [...segments(guess.field)]);
  const changes = facts.changes.filter((change) => isOf(change, object) && isRecent(change, facts));
  const weight = guess.weight + (changes.length > 0 ? CHANGED : 0);
  return {
    ...guess,
    object: text,
    ...(position === undefined ? {} : { file: position.file, line: position.line }),
    evidence: [...guess.evidence, ...changes.slice(-2).map(changed), ...facts.findings(text).map(analysed)],
    weight,
    certainty: weight >= 90 ? "certain" : weight >= 60 ? "likely" : "possible",
    proxy: facts.proxy.name,
  };
}

function isOf(change: Change, { kind, namespace, name }: Guess["object"]): boolean {
  return change.kind === kind && change.namespace === namespace && change.name === name;
}

function isRecent({ time }: Change, { symptom, now }: Facts): boolean {
  const at = Date.parse(symptom.startTime ?? "");
  const failed = Number.isNaN(at) ? now.getTime() : at;
  const changed = Date.parse(time);
  return changed <= failed && failed - changed < RECENT_MS;
}

function changed({ type, time, generation, user }: Change): Evidence {
  const who = user === undefined ? "" : ` by ${user}`;
  const which = generation === undefined ? "" : ` (generation ${generation})`;
  return { from: "changes", says: `it was ${type === "set" ? "written" : "deleted"} at ${time}${who}${which}` };
}

function analysed(message: string): Evidence {
  return { from: "analysis", says: message };
}

/** A cause at the server's proxy, with what led there. */
function continued(cause: Cause, { symptom, proxy, behind }: Facts): Cause {
  const said = `the answer ${symptom.status ?? ""} came from ${behind?.proxy.name ?? symptom.upstreamHost ?? "the server"}`;
  return {
    ...cause,
    evidence: [{ from: `access log of ${proxy.name}`, says: said.replace("  ", " ") }, ...cause.evidence],
  };
}
