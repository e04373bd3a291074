import type { Logger } from "../../base/logger.ts";
import type { Cluster } from "../../resources/cluster.ts";
import type { Service } from "../../resources/core.ts";
import type { KubeObject } from "../../resources/object.ts";
import type { KindName } from "../../resources/kinds.ts";
import type { State } from "../state.ts";
import { type Analysis, createAnalysis } from "./analysis.ts";
import type { AnalysisSummary, Elsewhere } from "./job.ts";
import { createStatusWriter } from "./status-writer.ts";

/** How a control plane analyses its configuration. */
export interface AnalysisSettings {
  /** The built src/analysis-worker.ts. */
  readonly worker: URL;
  /** The leader writes findings into the objects' status (Istio's PILOT_ENABLE_ANALYSIS); else only questions are answered. */
  readonly writesStatus: boolean;
}

export interface AnalysisRunnerDeps {
  readonly cluster: Cluster;
  readonly state: State;
  readonly held: ReadonlySet<KindName>;
  readonly rootNamespace: string;
  readonly domain: string;
  readonly settings: AnalysisSettings | undefined;
  readonly onSummary: (summary: AnalysisSummary) => void;
  readonly log: Logger;
}

/** Consumes the World and leadership; offers findings to those who ask, and in status where that is wanted. */
export function createAnalysisRunner(deps: AnalysisRunnerDeps): Analysis {
  const { cluster, state, settings, log } = deps;
  const statuses = createStatusWriter(cluster, log);
  let writes = false;
  let elsewhere: Elsewhere | undefined;
  const analysis = createAnalysis({
    world: state.world,
    held: deps.held,
    rootNamespace: deps.rootNamespace,
    domain: deps.domain,
    worker: settings?.worker,
    elsewhere: () => elsewhere,
    onSummary: deps.onSummary,
    onStatuses(changes) {
      if (writes) statuses.write(changes);
    },
    log,
  });
  let unfollow = (): void => {};
  let unfollowOthers = (): void => {};
  return {
    ...analysis,
    start() {
      if (settings !== undefined)
        unfollowOthers = state.derivations.effect(() => {
          elsewhere = elsewhereOf(state);
          analysis.changed([]);
        });
      if (settings?.writesStatus === true)
        unfollow = state.derivations.effect(() => {
          writes = state.leading.get();
          analysis.follow(writes);
        });
      return analysis.start();
    },
    async close() {
      unfollow();
      unfollowOthers();
      writes = false;
      await analysis.close();
      await statuses.close();
    },
  };
}

/** Services of the mesh's other clusters, as an analysis compares them. Tracked. */
function elsewhereOf({ remotes, mesh }: State): Elsewhere | undefined {
  const others = remotes.list();
  if (others.length === 0) return undefined;
  return {
    own: mesh.model.clusterId,
    others: others.map(({ clusterId: name, world }) => ({ name, services: world.list("Service").map(comparable) })),
  };
}

/** Without what is not compared: all of it is copied to another thread. */
function comparable({ apiVersion, kind, metadata, spec }: Service): KubeObject {
  const { name, namespace = "" } = metadata;
  return { apiVersion, kind, metadata: { name, namespace }, spec };
}
