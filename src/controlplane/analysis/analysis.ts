import { delay } from "../../base/delay.ts";
import { errorText } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { KIND_NAMES, type KindName } from "../../resources/kinds.ts";
import type { World, WorldChange } from "../../resources/world.ts";
import type { Runner } from "../runner.ts";
import type { AnalysisReport, JobOptions } from "./job.ts";
import { type AnalysisThread, startAnalysisThread } from "./thread.ts";

export interface AnalysisDeps {
  readonly world: World;
  /** Kinds that the World holds completely. */
  readonly held: ReadonlySet<KindName>;
  readonly rootNamespace: string;
  readonly domain: string;
  /** The built src/analysis-worker.ts; undefined: nothing is analysed. */
  readonly worker: URL | undefined;
  readonly onReport: (report: AnalysisReport) => void;
  readonly log: Logger;
}

/** The analyzers of `meshctl analyze`, over what the control plane holds. */
export interface Analysis extends Runner {
  /** Changes of the World, as they were applied. */
  changed(changes: readonly WorldChange[]): void;
  /** What an analysis of the World as it is now comes to. Rejects when nothing is analysed here, or the thread failed. */
  report(): Promise<AnalysisReport>;
  /** Goes on analysing after changes until it is told to stop, for those who want to be told (onReport). */
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
  let running: Promise<AnalysisReport> | undefined;
  let following: Promise<void> | undefined;
  let isFollowed = false;
  let idle: NodeJS.Timeout | undefined;
  let wake = (): void => {};

  const rest = (): void => {
    clearTimeout(idle);
    if (isFollowed) return;
    idle = setTimeout(() => void copy.drop(), IDLE_MS);
    idle.unref();
  };
  const report = async (): Promise<AnalysisReport> => {
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
  const followOn = async (): Promise<void> => {
    while (isFollowed && !abort.signal.aborted) {
      if (copy.fresh() === undefined) await delay(await pauseAfter(report(), deps.log), abort.signal);
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    following = undefined;
  };
  return {
    name: "analysis",
    changed(changes) {
      if (copy.changed(changes)) setTimeout(() => wake(), SETTLE_MS).unref();
    },
    report,
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
      clearTimeout(idle);
      wake();
      await copy.drop();
      await following;
    },
  };
}

/** How long to rest after an analysis, in ms. */
async function pauseAfter(report: Promise<AnalysisReport>, log: Logger): Promise<number> {
  try {
    return Math.max(SETTLE_MS, (await report).tookMs * REST_FACTOR);
  } catch (error) {
    log.warn({ error: errorText(error) }, "the configuration could not be analysed; trying again");
    return IDLE_MS;
  }
}

/** The thread and its copy of the objects. */
interface Copy {
  /** False when there is no copy that would have to know. */
  changed(changes: readonly WorldChange[]): boolean;
  /** The last report, when nothing has changed since. */
  fresh(): AnalysisReport | undefined;
  analyse(): Promise<AnalysisReport>;
  drop(): Promise<void>;
}

function createCopy(deps: AnalysisDeps): Copy {
  let thread: AnalysisThread | undefined;
  let waiting: WorldChange[] = [];
  let latest: AnalysisReport | undefined;
  const drop = async (): Promise<void> => {
    const ending = thread;
    thread = undefined;
    latest = undefined;
    waiting = [];
    await ending?.close();
  };
  const start = (url: URL): AnalysisThread => {
    thread = startAnalysisThread(url);
    waiting = everything(deps.world, deps.held);
    return thread;
  };
  return {
    changed(changes) {
      if (thread === undefined) return false;
      for (const change of changes) waiting.push(change);
      return true;
    },
    fresh: () => (waiting.length === 0 ? latest : undefined),
    async analyse() {
      if (deps.worker === undefined) throw new Error("this control plane has no analysis");
      const current = thread ?? start(deps.worker);
      try {
        // changes that come while the others are handed over are part of the answer
        while (waiting.length > 0) await current.send(waiting.splice(0));
        latest = await current.run(jobOptions(deps));
        deps.onReport(latest);
        return latest;
      } catch (error) {
        await drop();
        throw error;
      }
    },
    drop,
  };
}

function everything(world: World, held: ReadonlySet<KindName>): WorldChange[] {
  return [...held].flatMap((kind) => world.list(kind).map((object) => ({ type: "set" as const, object })));
}

function jobOptions({ held, rootNamespace, domain }: AnalysisDeps): JobOptions {
  const others = KIND_NAMES.filter((kind) => !held.has(kind));
  return {
    rootNamespace,
    domain,
    missing: new Map(others.map((kind) => [kind, `the control plane does not watch ${kind}`])),
  };
}
