import { readFileSync } from "node:fs";

type Labels = Readonly<Record<string, string>>;

/** One answer of test/model/testdata/injection-truth-table*.txt. */
export interface TruthRow {
  readonly namespace: Labels;
  readonly pod: Labels;
  /** Annotation sidecar.istio.io/inject of the pod. */
  readonly annotation: string | undefined;
  readonly policy: string;
  /** First part of the name of the webhook that the API server calls. */
  readonly webhook: string | undefined;
  readonly injected: boolean;
}

/**
 * The truth table of injection as data: 64 combinations of labels, each under 12 of policy and annotation. With `by-default` the
 * eight combinations that say nothing about the namespace, in a mesh that injects those.
 */
export function injectionTruthTable(kind: "usual" | "by-default" = "usual"): readonly TruthRow[] {
  const suffix = kind === "usual" ? "" : `-${kind}`;
  const file = new URL(`../model/testdata/injection-truth-table${suffix}.txt`, import.meta.url);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const [policies = [], heads = [], ...rows] = lines
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim().split(/\s+/));
  const annotations = heads.slice(3);
  const perPolicy = annotations.length / policies.length;
  return rows.flatMap(([namespace = "", pod = "", webhook = "", ...answers]) =>
    answers.map((answer, column) => ({
      namespace: labelsOf(namespace),
      pod: labelsOf(pod),
      webhook: given(webhook),
      annotation: given(annotations[column] ?? ""),
      policy: policies[Math.floor(column / perPolicy)] ?? "",
      injected: yesOrNo(answer),
    })),
  );
}

function labelsOf(text: string): Labels {
  return Object.fromEntries(
    text === "-"
      ? []
      : text.split(",").map((pair) => {
          const [key = "", value = ""] = pair.split("=");
          return [key, value];
        }),
  );
}

function given(text: string): string | undefined {
  return text === "-" ? undefined : text;
}

function yesOrNo(text: string): boolean {
  if (text !== "yes" && text !== "no") throw new Error(`expected yes or no, got ${text}`);
  return text === "yes";
}
