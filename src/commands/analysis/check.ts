import type { Analyzer } from "../../analyzers/analyzer.ts";
import { runAnalyzers, type SkippedAnalyzer, sortFindings } from "../../analyzers/run.ts";
import { valueAt } from "../../base/field-path.ts";
import type { FieldPath, Finding, ObjectRef, SourcePosition } from "../../diagnostics/finding.ts";
import { meshKinds } from "../../gen/mesh-kinds.ts";
import { clusterDomainOf } from "../../model/cluster-domain.ts";
import { MESH_CONFIG_MAP } from "../../model/mesh-config.ts";
import { worldFromObjects } from "../../resources/files-world.ts";
import type { SourcedObject } from "../../resources/manifests.ts";
import { type KubeObject, refOf } from "../../resources/object.ts";
import type { FixedWorld } from "../../resources/world-fixed.ts";
import { soundObject, validateObject } from "../../validation/index.ts";
import type { FileSet } from "./files.ts";
import type { LiveCluster } from "./live.ts";
import type { AnalyzeOptions } from "./options.ts";

/** What checking came to, before anybody decided what to hear of. */
export interface Checked {
  /** Sorted, with positions. */
  readonly findings: readonly Finding[];
  /** What files alone do not say. */
  readonly unknown: readonly string[];
  readonly skipped: readonly SkippedAnalyzer[];
  readonly executed: readonly string[];
  /** Codes of which everything was found that is there. */
  readonly judged: ReadonlySet<string>;
  /** Objects that were looked at. */
  readonly objects: number;
}

export interface CheckRequest {
  readonly files: FileSet;
  /** None: the files alone. */
  readonly clusters: readonly LiveCluster[];
  readonly analyzers: readonly Analyzer[];
  readonly options: AnalyzeOptions;
  readonly now: Date;
  /** Why time is up, as part of a sentence; undefined while it is not. */
  readonly expired: () => string | undefined;
}

/** Validates each object alone and runs the analyzers over each cluster's World; files lie on top of the first. */
export function checkMesh(request: CheckRequest): Checked {
  const { files } = request;
  const found = files.objects.map(({ object }) => ({ object, findings: validateObject(object) }));
  // most objects have nothing wrong: only the others are made sound
  const sound = found.map(({ object, findings }) => (findings.length === 0 ? object : soundObject(object)));
  const clusters = request.clusters.length === 0 ? [undefined] : request.clusters;
  const parts = clusters.map((live, index) => part(live, index === 0 ? sound : [], request));
  const worlds = parts.map(({ live, world }) => ({ name: live?.name ?? "", world }));
  const locate = locator(files.objects);
  // files lie on top of the first cluster only
  const runs = parts.map((each, index) =>
    checkPart(each, { ...request, worlds, locate: index === 0 ? locate : () => undefined }),
  );
  const alone = found.flatMap(({ findings }) => findings).map((each) => placed(each, locate));
  return {
    findings: sortFindings([...files.findings, ...alone, ...runs.flatMap(({ findings }) => findings)]),
    unknown: runs.flatMap(({ unknown }) => unknown),
    skipped: merged(runs.flatMap(({ skipped }) => skipped)),
    executed: runs[0]?.executed ?? [],
    judged: new Set([...ALWAYS, ...(runs[0]?.judged ?? [])]),
    objects: files.objects.length + request.clusters.reduce((sum, { objects }) => sum + objects.length, 0),
  };
}

/** Codes of reading and validation, which always run. */
const ALWAYS: readonly string[] = [
  "IST0106",
  "IST0002",
  "MSH0002",
  "MSH0003",
  "MSH0004",
  "MSH0201",
  "MSH0202",
  "MSH0203",
];

function merged(skipped: readonly SkippedAnalyzer[]): readonly SkippedAnalyzer[] {
  return [...new Map(skipped.map((each) => [`${each.name}\0${each.reason}`, each])).values()];
}

interface Part {
  readonly live: LiveCluster | undefined;
  readonly world: FixedWorld;
  /** Live objects that no file replaces. */
  readonly others: readonly KubeObject[];
}

function part(live: LiveCluster | undefined, files: readonly KubeObject[], { options }: CheckRequest): Part {
  const ours = (objects: readonly KubeObject[]): readonly KubeObject[] =>
    options.revision === undefined ? objects : ofRevision(objects, options.revision, options.rootNamespace);
  const objects = live?.objects ?? [];
  const replaced = new Set(live === undefined ? [] : files.map(keyOf));
  return {
    live,
    world: worldFromObjects(ours(files), ours(objects)),
    others: objects.filter((object) => !replaced.has(keyOf(object))),
  };
}

/** Objects that a revision's control plane reads: its own and those of no revision; its mesh configuration as the mesh's. */
function ofRevision(objects: readonly KubeObject[], revision: string, rootNamespace: string): readonly KubeObject[] {
  const kept = objects.filter(({ kind, metadata }) => {
    const asked = kind in meshKinds ? metadata.labels?.["istio.io/rev"] : undefined;
    return asked === undefined || asked === revision;
  });
  const isOwn = ({ kind, metadata }: KubeObject): boolean =>
    kind === "ConfigMap" && metadata.namespace === rootNamespace && metadata.name === `${MESH_CONFIG_MAP}-${revision}`;
  const own = kept.filter(isOwn).map((object) => ({
    ...object,
    metadata: { ...object.metadata, name: MESH_CONFIG_MAP },
  }));
  return own.length === 0 ? kept : [...kept, ...own];
}

type Locate = (object: ObjectRef, path: FieldPath) => SourcePosition | undefined;

interface PartRequest extends CheckRequest {
  readonly worlds: readonly { readonly name: string; readonly world: FixedWorld }[];
  readonly locate: Locate;
}

interface PartResult extends Pick<Checked, "findings" | "unknown" | "skipped" | "executed"> {
  readonly judged: readonly string[];
}

function checkPart({ live, world, others }: Part, request: PartRequest): PartResult {
  const { options, analyzers, now, worlds, expired } = request;
  const domain = options.domain ?? clusterDomainOf(world, options.rootNamespace);
  const run = runAnalyzers(analyzers, world, {
    complete: live !== undefined || options.complete === true,
    rootNamespace: options.rootNamespace,
    now,
    clusters: worlds,
    expired,
    ...(live === undefined ? {} : { missing: live.missing }),
    ...(domain === undefined ? {} : { domain }),
  });
  const asked = reported(options, live, request);
  const alone = others.flatMap((object) => validateObject(object)).flatMap(asked);
  return {
    findings: [...alone, ...run.findings.flatMap(asked)],
    unknown: run.unknown,
    skipped: run.skipped,
    executed: run.executed,
    judged: run.judged,
  };
}

/**
 * Findings that the user asked about, with their places: of files all; of live objects those of the namespace asked for, and
 * only when no files are named. With several clusters each says which is its own.
 */
function reported(
  options: AnalyzeOptions,
  live: LiveCluster | undefined,
  { locate, clusters }: PartRequest,
): (found: Finding) => readonly Finding[] {
  const cluster = live !== undefined && clusters.length > 1 ? { cluster: live.name } : {};
  return (found) => {
    if (found.object === undefined) return [{ ...found, ...cluster }];
    const withPlace = placed(found, locate);
    if (withPlace.position !== undefined) return [{ ...withPlace, ...cluster }];
    const { namespace, kind, name } = found.object;
    const isAsked =
      options.allNamespaces || namespace === options.namespace || (kind === "Namespace" && name === options.namespace);
    return options.sources.length === 0 && isAsked ? [{ ...withPlace, ...cluster }] : [];
  };
}

function placed(found: Finding, locate: Locate): Finding {
  const related = found.related?.map((place) => ({
    ...place,
    position: place.object === undefined ? place.position : locate(place.object, place.path),
  }));
  const position = found.object === undefined ? found.position : locate(found.object, found.path);
  return { ...found, position: position ?? found.position, ...(related === undefined ? {} : { related }) };
}

/** Finds places of objects of the files. */
function locator(objects: readonly SourcedObject[]): Locate {
  let places: Places | undefined;
  return (object, path) => {
    places ??= indexed(objects);
    const same = places.get(object.namespace)?.get(object.name) ?? [];
    const [first, ...more] = same.filter((each) => each.object.kind === object.kind);
    // two kinds of one name (Gateway): the one that has the field is meant
    const meant = more.length === 0 ? first : ([first, ...more].find((each) => has(each, path)) ?? first);
    return meant?.position(path);
  };
}

function has(sourced: SourcedObject | undefined, path: FieldPath): boolean {
  return sourced !== undefined && valueAt(sourced.object, path) !== undefined;
}

/** Objects by namespace and name: of all kinds, which are few, so that no key is put together for each. */
type Places = ReadonlyMap<string, ReadonlyMap<string, readonly SourcedObject[]>>;

function indexed(objects: readonly SourcedObject[]): Places {
  const places = new Map<string, Map<string, SourcedObject[]>>();
  for (const sourced of objects) {
    const { namespace, name } = refOf(sourced.object);
    let names = places.get(namespace);
    if (names === undefined) places.set(namespace, (names = new Map<string, SourcedObject[]>()));
    const listed = names.get(name);
    if (listed === undefined) names.set(name, [sourced]);
    else listed.push(sourced);
  }
  return places;
}

function refKey({ kind, namespace, name }: ObjectRef): string {
  return `${kind}/${namespace}/${name}`;
}

function keyOf(object: KubeObject): string {
  return `${object.apiVersion.split("/")[0] ?? ""}/${refKey(refOf(object))}`;
}
