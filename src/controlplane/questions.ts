import { sharedServices } from "./debug-mcs.ts";
import type { Question } from "./debug-question.ts";
import { registryServices } from "./debug-registry.ts";
import { answerDistribution } from "./distribution.ts";
import { json } from "./http.ts";
import { scopesQuestion } from "./log-scopes.ts";
import { pageQuestions } from "./page.ts";
import type { Shared } from "./shared.ts";

/** One source of objects, as /debug/clusterz tells it; the names are Istio's. */
export interface RegistryState {
  readonly id: string;
  /** `namespace/name` of the Secret that it is reached by; empty for our own cluster. */
  readonly secretName: string;
  /** timeout: its first lists take longer than the start waits for them. */
  readonly syncStatus: "synced" | "syncing" | "timeout";
  /** Istiod's own cluster, a remote one, or what a registry beside the clusters calls itself. */
  readonly kind: string;
  /** Of another cluster: whether its API server answered last time, and why it did not. */
  readonly reachable?: boolean;
  readonly error?: string;
}

/** Questions of /debug that are answered from what all parts share. */
export function questionsOf(shared: Shared): Readonly<Record<string, Question>> {
  const { state, arrivals, streams, options, live } = shared;
  const distribution = { world: state.world, arrivals, streams, instance: options.instance, now: Date.now };
  const status = (registry: string): RegistryState["syncStatus"] =>
    shared.syncedRegistries.has(registry) ? "synced" : "syncing";
  const registries = (): readonly RegistryState[] => [
    { id: options.clusterId, secretName: "", syncStatus: live.synced ? "synced" : "syncing", kind: "kubernetes" },
    ...(shared.remotes?.status() ?? []).map((remote) => ({ ...remote, kind: "kubernetes" })),
    ...(options.registries ?? []).map(
      ({ name }): RegistryState => ({ id: name, secretName: "", syncStatus: status(name), kind: "registry" }),
    ),
  ];
  return {
    clusterz: { answer: (url) => json(registries(), url.searchParams.has("pretty")) },
    mcsz: { answer: (url) => json(sharedServices(state.mesh.model.members), url.searchParams.has("pretty")) },
    changes: { answer: (url) => json(shared.changes.list(), url.searchParams.has("pretty")) },
    config_distribution: { answer: (url) => answerDistribution(distribution, url) },
    registryz: {
      answer: (url) => json(registryServices(state, options.clusterId), url.searchParams.has("pretty")),
    },
    ...pageQuestions(shared),
    ...(options.logs === undefined ? {} : { scopez: scopesQuestion(options.logs) }),
  };
}
