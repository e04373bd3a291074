import { codes } from "../../diagnostics/codes.ts";
import type { Need, Problem } from "../../model/gateway-api-types.ts";

/** A status condition as Kubernetes has them; whoever writes it adds lastTransitionTime. */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

/** Whether the absence of an object is certain; of a cluster always. */
export type Knows = (need: Need) => boolean;

/** Which condition a problem turns, and the reason that Gateway API has for it. */
const CONDITIONS: { readonly [C in Problem["code"]]?: readonly [type: string, reason: string] } = {
  MSH0702: ["Accepted", "InvalidParameters"],
  MSH0703: ["Accepted", "UnsupportedAddress"],
  MSH0704: ["Programmed", "AddressNotUsable"],
  MSH0706: ["Accepted", "InvalidParameters"],
  MSH0707: ["Accepted", "InvalidParameters"],
  MSH0710: ["Conflicted", "HostnameConflict"],
  MSH0711: ["Conflicted", "ProtocolConflict"],
  MSH0712: ["Accepted", "UnsupportedProtocol"],
  MSH0713: ["ResolvedRefs", "InvalidRouteKinds"],
  MSH0714: ["ResolvedRefs", "InvalidCertificateRef"],
  MSH0715: ["ResolvedRefs", "InvalidCertificateRef"],
  MSH0716: ["ResolvedRefs", "InvalidCACertificateRef"],
  MSH0719: ["ResolvedRefs", "RefNotPermitted"],
  MSH0720: ["Accepted", "NoMatchingParent"],
  MSH0721: ["Accepted", "NoMatchingParent"],
  MSH0722: ["Accepted", "NotAllowedByListeners"],
  MSH0723: ["Accepted", "NoMatchingListenerHostname"],
  MSH0724: ["ResolvedRefs", "BackendNotFound"],
  MSH0725: ["ResolvedRefs", "BackendNotFound"],
  MSH0726: ["ResolvedRefs", "InvalidKind"],
  MSH0727: ["Accepted", "UnsupportedValue"],
  MSH0740: ["Accepted", "TargetNotFound"],
  MSH0741: ["Accepted", "Conflicted"],
  MSH0742: ["ResolvedRefs", "InvalidCACertificateRef"],
};

/** Conditions where True is the bad news. */
const NEGATIVE: ReadonlySet<string> = new Set(["Conflicted"]);

/** What a problem says, in the words of its code. */
export function wordsOf({ code, args }: Problem): string {
  return codes[code].message(args as never);
}

/** Type and reason of a problem's condition; undefined when the API has none for it. */
export function conditionOf({ code, reason }: Problem): readonly [type: string, reason: string] | undefined {
  const known = CONDITIONS[code];
  return known === undefined || reason === undefined ? known : [known[0], reason];
}

/** Problems that are sure. */
export function certain(problems: readonly Problem[], knows: Knows): readonly Problem[] {
  return problems.filter(({ needs }) => needs === undefined || knows(needs));
}

export interface ConditionContext {
  readonly generation: number;
  readonly knows: Knows;
}

/**
 * One condition: fine (`reason`, `message`) without a problem of its type, else the first certain problem; when all are uncertain
 * (files alone) Unknown, with reason Pending.
 */
export function condition(
  type: string,
  fine: { readonly reason: string; readonly message: string },
  problems: readonly Problem[],
  { generation: observedGeneration, knows }: ConditionContext,
): Condition {
  const own = problems.filter((problem) => conditionOf(problem)?.[0] === type);
  const sure = certain(own, knows);
  const [first] = sure;
  const isNegative = NEGATIVE.has(type);
  if (first !== undefined) {
    const reason = conditionOf(first)?.[1] ?? "Invalid";
    const same = sure.filter((problem) => conditionOf(problem)?.[1] === reason);
    const message = [...new Set(same.map(wordsOf))].join("; ");
    return { type, status: isNegative ? "True" : "False", reason, message, observedGeneration };
  }
  if (own.length > 0)
    return { type, status: "Unknown", reason: "Pending", message: own.map(wordsOf).join("; "), observedGeneration };
  return { type, status: isNegative ? "False" : "True", ...fine, observedGeneration };
}

/** Accepted, unless there is nothing that certificates of the other side could be checked by. */
export function withAuthority(accepted: Condition, lacks: boolean): Condition {
  if (!lacks || accepted.status === "False") return accepted;
  const message = "none of the authorities that are named can be used";
  return { ...accepted, status: "False", reason: "NoValidCACertificate", message };
}
