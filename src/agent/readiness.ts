/** What the probe has seen of Envoy so far: configuration counts once, liveness each time. */
export interface ReadinessState {
  readonly configured: boolean;
}

export const notConfigured: ReadinessState = { configured: false };

/** The statistics that decide, as a filter for Envoy's `/stats`. */
export const READINESS_FILTER =
  "^(cluster_manager\\.cds\\.update_success|listener_manager\\.lds\\.update_success|listener_manager\\.workers_started|server\\.state)$";

export type Readiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

/**
 * Ready: clusters and listeners arrived once, the server is LIVE and its workers run. After the first time only the
 * server's state counts, so that meshd being away does not take a working proxy out of service.
 * `stats` is Envoy's plain text, one `name: value` a line.
 */
export function stepReadiness(state: ReadinessState, stats: string): readonly [ReadinessState, Readiness] {
  const values = new Map(
    stats.split("\n").map((line) => {
      const at = line.lastIndexOf(":");
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
  const at = (name: string): number => values.get(name) ?? 0;
  if (!state.configured) {
    const missing = [
      ...(at("cluster_manager.cds.update_success") > 0 ? [] : ["clusters"]),
      ...(at("listener_manager.lds.update_success") > 0 ? [] : ["listeners"]),
    ];
    if (missing.length > 0) return [state, { ready: false, reason: `no ${missing.join(" and ")} from meshd yet` }];
  }
  const live = values.get("server.state");
  if (live !== 0) return [state, { ready: false, reason: `Envoy is not live: server.state ${live ?? "unknown"}` }];
  if (!state.configured && at("listener_manager.workers_started") !== 1) {
    return [state, { ready: false, reason: "Envoy's workers have not started" }];
  }
  return [{ configured: true }, { ready: true }];
}
