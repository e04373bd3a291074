import type { EnvoyAdmin } from "./envoy-admin.ts";
import type { NameTable } from "./dns/names.ts";
import { notConfigured, type Readiness, READINESS_FILTER, stepReadiness } from "./readiness.ts";

export interface ReadyDeps {
  readonly admin: EnvoyAdmin;
  /** The names that DNS queries are answered from, undefined until they arrived; absent where none are answered. */
  readonly names?: (() => NameTable | undefined) | undefined;
}

/** Asks whether the proxy is ready: with Envoy and, where the agent answers DNS queries, not before it knows the mesh's names. */
export function createReadyCheck({ admin, names }: ReadyDeps): () => Promise<Readiness> {
  const path = `/stats?filter=${encodeURIComponent(READINESS_FILTER)}`;
  let state = notConfigured;
  return async () => {
    const stats = await admin.call("GET", path).catch(() => "");
    if (stats === "") {
      // The Envoy that answers next may be a new one, which has to be configured again.
      state = notConfigured;
      return { ready: false, reason: "Envoy does not answer" };
    }
    if (names !== undefined && names() === undefined) return { ready: false, reason: "no names from meshd yet" };
    const [next, result] = stepReadiness(state, stats);
    state = next;
    return result;
  };
}
