import { documentationOf, hintOf, messageOf } from "../diagnostics/codes.ts";
import type { Finding, Level, RelatedPlace } from "../diagnostics/finding.ts";
import type { ReportSummary } from "./context.ts";
import { originOf } from "./words.ts";

/** One finding as programs get it: istioctl's keys, and ours. */
export interface FindingMessage {
  readonly code: string;
  readonly documentationUrl: string;
  readonly level: Level;
  readonly message: string;
  /** `Kind ns/name` */
  readonly origin?: string;
  /** `file:line` */
  readonly reference?: string;
  readonly cluster?: string;
  readonly hint?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly path: Finding["path"];
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly related?: readonly RelatedMessage[];
}

/** The other side of a conflict, as programs get it. */
export interface RelatedMessage {
  readonly message: string;
  readonly origin?: string;
  readonly reference?: string;
  readonly path: Finding["path"];
  readonly line?: number;
  readonly column?: number;
  readonly file?: string;
}

/** A check that did not run, as programs get it among the findings. */
export interface SkippedMessage {
  readonly code: "skipped";
  readonly level: "Info";
  readonly message: string;
}

/** Everything that programs are told: findings, and checks that did not run. */
export function messagesOf(findings: readonly Finding[], summary: ReportSummary | undefined): readonly object[] {
  const skipped = (summary?.skipped ?? []).map(
    ({ name, reason }): SkippedMessage => ({
      code: "skipped",
      level: "Info",
      message: `analyzer ${name} did not run: ${reason}`,
    }),
  );
  return [...findings.map(messageObject), ...skipped];
}

/** A finding in istioctl's message shape. */
export function messageObject(found: Finding): FindingMessage {
  const { code, level, object, path, position, cluster, related } = found;
  const hint = hintOf(found);
  return {
    code,
    documentationUrl: documentationOf(code),
    level,
    message: messageOf(found),
    ...origin(found),
    ...(cluster === undefined ? {} : { cluster }),
    ...(hint === undefined ? {} : { hint }),
    ...object,
    path,
    ...position,
    ...(related === undefined ? {} : { related: related.map(relatedObject) }),
  };
}

function relatedObject(place: RelatedPlace): RelatedMessage {
  return { message: place.words, ...origin(place), path: place.path, ...place.position };
}

function origin({ object, position }: Pick<Finding, "object" | "position">): { origin?: string; reference?: string } {
  return {
    ...(object === undefined ? {} : { origin: originOf(object) }),
    ...(position === undefined ? {} : { reference: `${position.file}:${position.line}` }),
  };
}
