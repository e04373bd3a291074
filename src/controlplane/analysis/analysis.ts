import { delay } from "../../base/delay.ts";
import { errorText } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { KIND_NAMES, type KindName } from "../../resources/kinds.ts";
import type { World, WorldChange } from "../../resources/world.ts";
import type { Runner } from "../runner.ts";
import type { AnalysisSummary, Elsewhere, JobOptions } from "./job.ts";
import type { StatusChange } from "./status.ts";
import { type AnalysisThread, startAnalysisThread } from "./thread.ts";

export interface AnalysisDeps {
  readonly world: World;
  /** Kinds that the World holds completely. */
  readonly held: ReadonlySet<KindName>;
  readonly rootNamespace: string;
  readonly domain: string;
  /** What the mesh's other clusters hold; another object when that has changed. Undefined: there are none. */
  readonly elsewhere?: () => Elsewhere | undefined;
  /** The built src/analysis-worker.ts; undefined: nothing is analysed. */
  readonly worker: URL | undefined;
  readonly onSummary: (summary: AnalysisSummary) => void;
  /** Called with what is to be written into objects, after every analysis while it is followed. */
  readonly onStatuses: (changes: readonly StatusChange[]) => void;
  readonly log: Logger;
}

/** The analyzers of `meshctl analyze`, over what the control plane holds. */
export interface Analysis extends Runner {
  /** Changes of the World, as they were applied; none when it is another cluster that has changed. */
  changed(changes: readonly WorldChange[]): void;
  /**
   * What an analysis of the World as it is now comes to, as JSON (AnalysisReport); of one namespace unless that is "". Rejects
   * when nothing is analysed here, or the thread failed.
   */
  report(namespace: string): Promise<Uint8Array>;
  /** Goes on analysing after changes until it is told to stop (onStatuses). */
  follow(wanted: boolean): void;
}

/** The thread ends this long after the last question, for its copy of the objects is memory. */
const IDLE_MS = 60_000;
/** Changes settle this long before they are analysed. */
const SETTLE_MS = 500;
/** Rest after an analysis, in its own length: analysing takes at most a third of a processor. */
const REST_FACTOR = 2;

/** Consumes the World and its changes; offers findings. It starts a thread when it is first asked and not before. */
export function createAnalysis(deps: AnalysisDeps): Analysis {
  const abort = new AbortController();
  const copy = createCopy(deps);
  let running: Promise<AnalysisSummary> | undefined;
  let following: Promise<void> | undefined;
  let isFollowed = false;
  let wake = (): void => {};

  const idle = createTimer(() => void copy.drop(), IDLE_MS);
  const rest = (): void => (isFollowed ? idle.stop() : idle.again());
  const analyse = async (): Promise<AnalysisSummary> => {
    // one that began before this question may have missed a change
    await running?.catch(() => undefined);
    const fresh = copy.fresh();
    if (fresh !== undefined) return fresh;
    running ??= copy.analyse().finally(() => {
      running = undefined;
      rest();
    });
    return running;
  };
  const analyseAndTell = async (): Promise<AnalysisSummary> => {
    const summary = await analyse();
    deps.onStatuses(await copy.statuses());
    return summary;
  };
  const followOn = async (): Promise<void> => {
    while (isFollowed && !abort.signal.aborted) {
      if (copy.fresh() === undefined) await delay(await pauseAfter(analyseAndTell(), deps.log), abort.signal);
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    following = undefined;
  };
  return {
    name: "analysis",
    changed(changes) {
      if (copy.changed(changes)) setTimeout(() => wake(), SETTLE_MS).unref();
    },
    async report(namespace) {
      await analyse();
      return copy.report(namespace);
    },
    follow(wanted) {
      isFollowed = wanted && deps.worker !== undefined;
      wake();
      if (isFollowed) following ??= followOn();
      else rest();
    },
    start: () => Promise.resolve(),
    async close() {
      abort.abort();
      isFollowed = false;
      idle.stop();
      wake();
      await copy.drop();
      await following;
    },
  };
}

/** A timer that begins anew with each `again`; it keeps no program alive. */
function createTimer(action: () => void, ms: number): { readonly again: () => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    again() {
      stop();
      timer = setTimeout(action, ms).unref();
    },
    stop,
  };
}

/** How long to rest after an analysis, in ms. */
async function pauseAfter(analysis: Promise<AnalysisSummary>, log: Logger): Promise<number> {
  try {
    return Math.max(SETTLE_MS, (await analysis).tookMs * REST_FACTOR);
  } catch (error) {
    log.warn({ error: errorText(error) }, "the configuration could not be analysed; trying again");
    return IDLE_MS;
  }
}

/** The thread and its copy of the objects. */
interface Copy {
  /** False when there is no copy that would have to know. */
  changed(changes: readonly WorldChange[]): boolean;
  /** The last analysis, when nothing has changed since. */
  fresh(): AnalysisSummary | undefined;
  analyse(): Promise<AnalysisSummary>;
  report(namespace: string): Promise<Uint8Array>;
  statuses(): Promise<readonly StatusChange[]>;
  drop(): Promise<void>;
}

function createCopy(deps: AnalysisDeps): Copy {
  let thread: AnalysisThread | undefined;
  let waiting: WorldChange[] = [];
  let latest: AnalysisSummary | undefined;
  let compared: Elsewhere | undefined;
  const drop = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    latest = undefined;
    waiting = [];
    await ending?.close();
  };
  const start = async (url: URL): Promise<AnalysisThread> => {
    const started = startAnalysisThread(url);
    thread = started;
    // kind by kind: listing 10,000 objects at once would hold up a push
    for (const kind of deps.held)
      await started.send(deps.world.list(kind).map((object) => ({ type: "set" as const, object })));
    return started;
  };
  return {
    changed(changes) {
      if (thread === undefined) return false;
      for (const change of changes) waiting.push(change);
      return true;
    },
    fresh: () => (waiting.length === 0 && compared === deps.elsewhere?.() ? latest : undefined),
    async analyse() {
      if (deps.worker === undefined) throw new Error("this control plane has no analysis");
      try {
        const current = thread ?? (await start(deps.worker));
        // changes that come while the others are handed over are part of the answer
        while (waiting.length > 0) await current.send(waiting.splice(0));
        compared = deps.elsewhere?.();
        latest = await current.run({ ...jobOptions(deps), ...(compared === undefined ? {} : { elsewhere: compared }) });
        deps.onSummary(latest);
        return latest;
      } catch (error) {
        await drop();
        throw error;
      }
    },
    report: (namespace) => thread?.report(namespace) ?? Promise.reject(new Error("the analysis was given up")),
    statuses: () => thread?.statuses() ?? Promise.resolve([]),
    drop,
  };
}

function jobOptions({ held, rootNamespace, domain }: AnalysisDeps): JobOptions {
  const others = KIND_NAMES.filter((kind) => !held.has(kind));
  return {
    rootNamespace,
    domain,
    missing: new Map(others.map((kind) => [kind, `the control plane does not watch ${kind}`])),
  };
}
