import type { ArgsOf, Code } from "../diagnostics/codes.ts";
import { finding } from "../diagnostics/codes.ts";
import type { FieldPath, Finding, RelatedPlace } from "../diagnostics/finding.ts";
import type { Model } from "../model/model.ts";
import type { KindName, KindTypes } from "../resources/kinds.ts";
import { type KubeObject, refOf } from "../resources/object.ts";

/** The World as far as an analyzer declared it. */
export interface AnalyzerWorld<K extends KindName> {
  get<T extends K>(kind: T, namespace: string, name: string): KindTypes[T] | undefined;
  list<T extends K>(kind: T, namespace?: string): readonly KindTypes[T][];
}

/** What files may hold a part of. */
export type Knowable = KindName | "workloads";

/** One of several clusters of a mesh. */
export interface ClusterWorld<K extends KindName> {
  /** What its kubeconfig calls it; "" for the only one. */
  readonly name: string;
  readonly world: AnalyzerWorld<K>;
}

/** Says what is wrong with a field of an object. The code decides level, words and hint; the arguments are typed by it. */
// oxlint-disable-next-line eslint/max-params -- the other side of a conflict is a rest, behind what each report has
export type AnalyzerReport<C extends Code> = <T extends C>(
  object: KubeObject,
  path: FieldPath,
  code: T,
  args: ArgsOf<T>,
  ...related: readonly RelatedObject[]
) => void;

/** The other side of a conflict, with what stands there as part of a sentence: `the other route for this host`. */
export interface RelatedObject {
  readonly object: KubeObject;
  readonly path: FieldPath;
  readonly words: string;
}

/** What an analyzer gets: no cluster, no files, no clock. */
export interface AnalyzerInput<K extends KindName, C extends Code> {
  readonly world: AnalyzerWorld<K>;
  /** Questions that are answered in one place for all (hosts, visibility, selection). */
  readonly model: Model;
  readonly report: AnalyzerReport<C>;
  /** A cluster is part of the World: what is not there does not exist. Files alone may be a part of the whole. */
  readonly complete: boolean;
  /**
   * Whether the absence of such an object in a namespace means that it does not exist: always with a cluster; of files when
   * they hold another one of that namespace (`workloads`: any pod, or any object that makes pods). Without a namespace: anywhere.
   */
  readonly knows: (what: Knowable, namespace?: string) => boolean;
  /** The time of this run: certificates end. */
  readonly now: Date;
  /** Every cluster of the run, the one of `world` among them: for what has to be the same in all. Mostly there is one. */
  readonly clusters: readonly ClusterWorld<K>[];
  /** Something could not be judged, because files alone do not say it; told to the user once, with a count. */
  readonly unknown: (what: string) => void;
}

/** `default` runs always; `security` (best practices that a working mesh may well break) only when asked for. */
export type Profile = "default" | "security";

/** One analyzer, ready to run. */
export interface Analyzer {
  /** The file's name. */
  readonly name: string;
  /** One sentence in present tense, for lists and help. */
  readonly summary: string;
  readonly reads: readonly KindName[];
  readonly codes: readonly Code[];
  readonly profile: Profile;
  readonly run: (world: AnalyzerWorld<KindName>, context: AnalyzerContext) => AnalyzerResult;
}

/** What the runner knows. */
export interface AnalyzerContext {
  readonly model: Model;
  readonly complete: boolean;
  readonly now: Date;
  readonly clusters: readonly ClusterWorld<KindName>[];
}

/** Files imply the pods of their workloads, so pods stand for both. */
function knowledge(world: AnalyzerWorld<KindName>, complete: boolean): AnalyzerInput<never, never>["knows"] {
  return (what, namespace) => complete || world.list(what === "workloads" ? "Pod" : what, namespace).length > 0;
}

export interface AnalyzerResult {
  readonly findings: readonly Finding[];
  /** What could not be judged, once for each time. */
  readonly unknown: readonly string[];
}

function withRelated(found: Finding, related: readonly RelatedObject[]): Finding {
  if (related.length === 0) return found;
  const places = related.map(
    ({ object, path, words }): RelatedPlace => ({ object: refOf(object), path, position: undefined, words }),
  );
  return { ...found, related: places };
}

interface Definition<K extends KindName, C extends Code> {
  readonly name: string;
  readonly summary: string;
  readonly reads: readonly K[];
  readonly codes: readonly C[];
  readonly profile?: Profile;
  readonly analyze: (input: AnalyzerInput<K, C>) => void;
}

/**
 * Declares an analyzer. A kind that is not in `reads`, a code that is not in `codes`, and arguments that do not belong to the
 * code do not compile; test/contract/analyzers.test.ts holds the declarations to what really happens.
 */
export function defineAnalyzer<const K extends KindName, const C extends Code>(definition: Definition<K, C>): Analyzer {
  const { name, summary, reads, codes, profile = "default", analyze } = definition;
  return {
    name,
    summary,
    reads,
    codes,
    profile,
    run: (world, { model, complete, now, clusters }) => {
      const findings: Finding[] = [];
      const unknown: string[] = [];
      analyze({
        world,
        model,
        complete,
        now,
        clusters,
        knows: knowledge(world, complete),
        // oxlint-disable-next-line eslint/max-params -- the other side of a conflict is a rest, behind what each report has
        report: (object, path, code, args, ...related) =>
          void findings.push(withRelated(finding(code, { object: refOf(object), path }, args), related)),
        unknown: (what) => void unknown.push(what),
      });
      return { findings, unknown };
    },
  };
}
