import { compact } from "../../base/compact.ts";
import type { Cause, Symptom } from "../../why/types.ts";

/** One failure, and what caused it. */
export interface Explained {
  /** The proxy whose log tells of it. */
  readonly proxy: string;
  readonly symptom: Symptom;
  /** The likeliest first. */
  readonly causes: readonly Cause[];
}

/** How many causes are shown after the first. */
const MORE = 3;

/** For people: the symptom, the first cause with all that speaks for it, and in a line each what else it may be. */
export function whyText(all: readonly Explained[]): string {
  return all.map((one) => `${explainedLines(one).join("\n")}\n`).join("\n");
}

function explainedLines({ proxy, symptom, causes }: Explained): readonly string[] {
  const [first, ...others] = causes;
  const head = symptomText(symptom, proxy);
  if (first === undefined) return [head, "  no cause found: nothing that was asked speaks for one"];
  const place = first.file === undefined ? "" : ` (${first.file}:${first.line ?? 1})`;
  const where = `${first.object}${first.field === undefined ? "" : ` ${first.field}`}${place}`;
  return [
    head,
    `  ${first.certainty === "certain" ? "because" : first.certainty === "likely" ? "likely because" : "perhaps because"} of ${where}`,
    `    ${first.says}`,
    ...first.evidence.map(({ from, says }) => `    - ${from}: ${says}`),
    `  fix: ${first.fix}`,
    ...others.slice(0, MORE).map(({ object, says, certainty }) => `  else, ${certainty}: ${object}: ${says}`),
  ];
}

/** `503 UH: GET /api of reviews.shop from web.shop` */
export function symptomText(symptom: Symptom, proxy: string): string {
  const { status, flags, method, path, authority, startTime } = symptom;
  const code = [status === undefined ? "" : String(status), flags.join(",")].filter(Boolean).join(" ");
  const what =
    method === undefined
      ? `connection to ${symptom.upstreamCluster ?? symptom.localAddress ?? "?"}`
      : `${method} ${authority ?? ""}${path ?? ""}`;
  const when = startTime === undefined ? "" : ` at ${startTime}`;
  return `${code === "" ? "failed" : code}: ${what}, seen by ${proxy}${when}`;
}

/** For programs: schemas/output/why.schema.json. */
export function whyData(all: readonly Explained[]): unknown {
  return all.map(({ proxy, symptom, causes }) => ({
    proxy,
    failure: compact({
      from: symptom.from,
      text: symptom.text,
      time: symptom.startTime,
      status: symptom.status,
      flags: symptom.flags,
      details: symptom.details,
      method: symptom.method,
      host: symptom.authority,
      path: symptom.path,
      cluster: symptom.upstreamCluster,
      upstream: symptom.upstreamHost,
      requestId: symptom.requestId,
    }),
    causes: causes.map((cause) => compact({ ...cause, weight: undefined })),
  }));
}
