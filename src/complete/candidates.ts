import type { CompletionKind } from "../cli-table/types.ts";
import type { Cluster } from "../resources/cluster.ts";
import { contextNames } from "./contexts.ts";
import { namespaces, revisions, type Within, workloads } from "./live.ts";
import type { Candidate, Candidates, Question } from "./question.ts";

type Source = (question: Question) => Promise<Candidates>;

const values = (list: readonly Candidate[]): Candidates => ({ list });

/** Names out of the cluster; one that does not answer offers nothing. */
function live(ask: (cluster: Cluster, within: Within) => Promise<readonly Candidate[]>): Source {
  return async ({ cluster, flag, word, signal }) => {
    const within = {
      word,
      namespace: flag("namespace") ?? "default",
      istioNamespace: flag("istioNamespace") ?? "istio-system",
      signal,
    };
    return values(await ask(await cluster(), within));
  };
}

/** By kind; what is heavy is loaded when it is asked for. */
const SOURCES: Readonly<Record<CompletionKind, Source>> = {
  analyzer: async () => {
    const { analyzers } = await import("../analyzers/index.ts");
    return values(analyzers.map(({ name, summary }) => ({ value: name, about: summary })));
  },
  category: async () => {
    const { allChecks } = await import("../checks/registry.ts");
    return values([...new Set(allChecks.map(({ category }) => category))].map((value) => ({ value })));
  },
  check: async () => {
    const { allChecks } = await import("../checks/registry.ts");
    return values(allChecks.map(({ name, affirmation }) => ({ value: name, about: affirmation })));
  },
  code: async () => {
    const { codes } = await import("../diagnostics/codes.ts");
    return values(Object.entries(codes).map(([value, { name }]) => ({ value, about: name })));
  },
  context: async (question) => values(await contextNames(question)),
  explain: async ({ word }) => (await import("./fields.ts")).explainable(word),
  file: () => Promise.resolve({ list: [], files: "all" }),
  folder: () => Promise.resolve({ list: [], files: "folders" }),
  namespace: live(namespaces),
  profile: async () => {
    const { profileNames, profileSummary } = await import("../install/profiles.ts");
    return values(profileNames().map((value) => ({ value, about: profileSummary(value) })));
  },
  revision: live(revisions),
  setting: async ({ word }) => (await import("./fields.ts")).settings(word),
  workload: live(workloads),
};

/** What can stand for a value, only what begins with the word so far. */
export async function candidatesOf(
  kind: CompletionKind | readonly string[] | undefined,
  question: Question,
): Promise<Candidates> {
  if (kind === undefined) return { list: [] };
  const found = typeof kind === "string" ? await SOURCES[kind](question) : values(kind.map((value) => ({ value })));
  return { ...found, list: found.list.filter(({ value }) => value.startsWith(question.word)) };
}
