import type { Decision, Reason } from "./decide.ts";
import type { Explained, Missed } from "./explain.ts";

const OUTCOMES: Readonly<Record<Decision["decision"], string>> = {
  allow: "allowed",
  deny: "refused",
  ask: "allowed if the external authorizer says so",
  reset: "refused: mutual TLS is asked for, and the caller shows no identity",
};

/** A decision for people: the outcome, then what decided, then each rule where they are asked for. */
export function decisionText({ to, port, decision, status, reasons, rules }: Decision): string {
  const head = `${to}:${port}: ${OUTCOMES[decision]}${status === undefined ? "" : ` (${status})`}\n`;
  const said = reasons.map((reason) => `  ${reasonText(reason)}\n`);
  const none = reasons.length === 0 && decision === "allow" ? "  no policy selects the workload\n" : "";
  return head + none + said.join("") + (rules ?? []).map(ruleText).join("");
}

/** What a policy, or the lack of one, said: one line without its end. */
export function reasonText({ action, effect, dryRun, policy, field, file, line, why }: Reason): string {
  const tried = dryRun === true ? " (dry run, nothing follows)" : "";
  if (action === "JWT") return why === undefined ? "JWT: the token is valid" : `JWT: the token is refused: ${why}`;
  if (policy === undefined) {
    const meaning = effect === "deny" ? "no rule matches, and what none allows is refused" : "no rule matches";
    return `${action}: ${meaning}${tried}`;
  }
  return `${action}: ${policy} ${field ?? ""}${placeText(file, line)} matches${tried}`;
}

function ruleText({ action, dryRun, policy, field, file, line, matches, missed }: Explained): string {
  const tried = dryRun === true ? " (dry run)" : "";
  const head = `  ${matches ? "+" : "-"} ${action}${tried} ${policy ?? ""} ${field ?? ""}${placeText(file, line)}\n`;
  return head + missed.map((one) => `      ${missedText(one)}\n`).join("");
}

function missedText({ part, attribute, wanted, unwanted, got }: Missed): string {
  const has = got === undefined ? "missing" : `"${got}"`;
  const asked = [
    ...(wanted === undefined ? [] : [`wanted ${wanted.join(" or ")}`]),
    ...(unwanted === undefined ? [] : [`not ${unwanted.join(" or ")}`]),
  ];
  return `${part}: ${attribute} is ${has}, ${asked.join(", ")}`;
}

function placeText(file: string | undefined, line: number | undefined): string {
  return file === undefined ? "" : ` (${file}:${line ?? 0})`;
}
