type Entry = Readonly<Record<string, unknown>> & { readonly name: string };
type Config = Readonly<Record<string, unknown>>;

const LISTS = ["clusters", "contexts", "users"] as const;

/** The user's kubeconfig with another's entries added (same names replaced) and its context chosen. */
export function mergeKubeconfig(own: Config, added: Config): Config {
  const merged: Record<string, unknown> = { apiVersion: "v1", kind: "Config", ...own };
  for (const list of LISTS) {
    const entries = entriesOf(added, list);
    const names = new Set(entries.map((entry) => entry.name));
    merged[list] = [...entriesOf(own, list).filter((entry) => !names.has(entry.name)), ...entries];
  }
  merged["current-context"] = added["current-context"];
  return merged;
}

/** The user's kubeconfig without another's entries; the chosen context is unset when it was one of them. */
export function unmergeKubeconfig(own: Config, removed: Config): Config {
  const left: Record<string, unknown> = { ...own };
  for (const list of LISTS) {
    const names = new Set(entriesOf(removed, list).map((entry) => entry.name));
    left[list] = entriesOf(own, list).filter((entry) => !names.has(entry.name));
  }
  const contexts = entriesOf(removed, "contexts").map((entry) => entry.name);
  if (contexts.includes(String(own["current-context"]))) left["current-context"] = "";
  return left;
}

function entriesOf(config: Config, list: (typeof LISTS)[number]): readonly Entry[] {
  const value = config[list];
  return Array.isArray(value) ? (value as Entry[]) : [];
}
