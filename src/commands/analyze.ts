import { analyzers } from "../analyzers/index.ts";
import { runAnalyzers, sortFindings } from "../analyzers/run.ts";
import { MeshError, UsageError, errorText } from "../base/errors.ts";
import type { Finding, Level } from "../diagnostics/finding.ts";
import { reporters } from "../report/findings.ts";
import type { Cluster } from "../resources/cluster.ts";
import { isClusterScoped, worldFromObjects } from "../resources/files-world.ts";
import { apiVersionOf, KIND_NAMES, KINDS, type KindName } from "../resources/kinds.ts";
import { completeManifests, readManifests, type SourcedObject, type SourceText } from "../resources/manifests.ts";
import { type KubeObject, refOf } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { meshKinds } from "../gen/mesh-kinds.ts";
import { soundObject, validateObject } from "../validation/index.ts";
import { globalOptions, listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { readSources } from "./sources.ts";

/** What `meshctl analyze` is asked. */
export interface AnalyzeOptions {
  /** Files, directories, `-`; none: the cluster alone. */
  readonly sources: readonly string[];
  /** `wanted`: asked for by a flag; `base`: below the files when it can be reached; `no`: never opened. */
  readonly cluster: "wanted" | "base" | "no";
  /** Namespace of file objects that name none, and of live findings. Default `default`. */
  readonly namespace: string;
  readonly allNamespaces: boolean;
  /** Control plane's namespace. Default istio-system. */
  readonly rootNamespace: string;
  /** Exit code 1 from this level on. Default Error. */
  readonly failureThreshold: Level;
  readonly output: "text" | "log" | "json" | "yaml";
}

/** What an analysis found. */
export interface AnalyzeResult extends CommandResult {
  readonly findings: readonly Finding[];
}

/** Checks configuration in files, in the cluster, or files on top of the cluster. Exit code 2 when a text is no YAML. */
export async function analyze(options: AnalyzeOptions, io: Io): Promise<AnalyzeResult> {
  const sources = await readSources(options.sources, io);
  const read = readManifests(sources);
  const files = completeManifests(read.objects, options.namespace, isClusterScoped);
  const live = await readCluster(options, io);
  const checked = files.objects.map(({ object }) => ({ object, findings: validateObject(object) }));
  const world = worldFromObjects(
    // most objects have nothing wrong: only the others are made sound
    checked.map(({ object, findings: wrong }) => (wrong.length === 0 ? object : soundObject(object))),
    live,
  );
  const { rootNamespace } = options;
  const run = runAnalyzers(analyzers, world, { complete: live !== undefined, rootNamespace, now: io.now() });
  const replaced = new Set(files.objects.map(({ object }) => keyOf(object)));
  const others = (live ?? []).filter((object) => !replaced.has(keyOf(object))).flatMap(validateObject);
  const findings = sortFindings([
    ...read.findings,
    ...files.findings,
    ...placed([...checked.flatMap((each) => each.findings), ...others, ...run.findings], files.objects, options),
  ]);
  render(findings, sources, options, io);
  conclude(findings, run.unknown, options, io);
  return { findings, exitCode: exitCodeOf(findings, options.failureThreshold) };
}

/** Entry of the command table. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  return analyze(readOptions(input), io);
}

function readOptions(input: CommandInput): AnalyzeOptions {
  const { namespace = "default", istioNamespace } = globalOptions(input);
  return {
    ...readTarget(input),
    namespace,
    allNamespaces: switchOption(input, "allNamespaces"),
    rootNamespace: istioNamespace,
    failureThreshold: (textOption(input, "failureThreshold") ?? "Error") as Level,
    output: (textOption(input, "output") ?? "text") as AnalyzeOptions["output"],
  };
}

function readTarget(input: CommandInput): Pick<AnalyzeOptions, "sources" | "cluster"> {
  const useKube = input.options["useKube"];
  // `--use-kube dir/` takes the directory for the flag's value
  const stray = typeof useKube === "string" && !["true", "false"].includes(useKube) ? [useKube] : [];
  const sources = [...input.args, ...stray, ...listOption(input, "filename")];
  const offline = switchOption(input, "offline") || useKube === "false";
  if (offline && sources.length === 0)
    throw new UsageError("nothing to analyze: no files, and --offline", "Name files or directories, or - for stdin.");
  if (offline) return { sources, cluster: "no" };
  return { sources, cluster: sources.length === 0 || useKube !== undefined ? "wanted" : "base" };
}

/** Kinds that are fetched: those that analyzers read, and those with rules of their own. */
const LIVE_KINDS: readonly KindName[] = KIND_NAMES.filter(
  (name) => name in meshKinds || analyzers.some(({ reads }) => reads.includes(name)),
);

async function readCluster(options: AnalyzeOptions, io: Io): Promise<readonly KubeObject[] | undefined> {
  if (options.cluster === "no") return undefined;
  try {
    const cluster = await io.cluster();
    await cluster.version();
    return await fetchAll(cluster, options.rootNamespace);
  } catch (error) {
    if (options.cluster === "wanted" || !(error instanceof MeshError)) throw error;
    io.err(`Files alone were analyzed, no cluster was reached: ${errorText(error)}\n`);
    return undefined;
  }
}

async function fetchAll(cluster: Cluster, rootNamespace: string): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(
    LIVE_KINDS.map((name) =>
      cluster.list(
        { apiVersion: apiVersionOf(name), kind: KINDS[name].kind },
        // of ConfigMaps only the mesh configuration is read
        name === "ConfigMap" ? { namespace: rootNamespace } : {},
      ),
    ),
  );
  return lists.flat();
}

function keyOf(object: KubeObject): string {
  const { kind, namespace, name } = refOf(object);
  return `${object.apiVersion.split("/")[0] ?? ""}/${kind}/${namespace}/${name}`;
}

/** Findings with their place in a file; of the cluster's own objects only those of the namespaces asked for. */
function placed(
  findings: readonly Finding[],
  files: readonly SourcedObject[],
  options: AnalyzeOptions,
): readonly Finding[] {
  const byRef = new Map(files.map((sourced) => [refKey(refOf(sourced.object)), sourced]));
  return findings.flatMap((found) => {
    if (found.object === undefined) return [found];
    const sourced = byRef.get(refKey(found.object));
    if (sourced !== undefined) return [{ ...found, position: sourced.position(found.path) }];
    const asked = options.allNamespaces || found.object.namespace === options.namespace;
    return options.sources.length === 0 && asked ? [found] : [];
  });
}

function refKey({ kind, namespace, name }: NonNullable<Finding["object"]>): string {
  return `${kind}/${namespace}/${name}`;
}

function render(findings: readonly Finding[], sources: readonly SourceText[], options: AnalyzeOptions, io: Io): void {
  const lines = new Map<string, readonly string[]>();
  const sourceLine = ({ file, line }: { readonly file: string; readonly line: number }): string | undefined => {
    const text = lines.get(file) ?? sources.find((source) => source.file === file)?.text.split(/\r?\n/) ?? [];
    lines.set(file, text);
    return text[line - 1];
  };
  const context = { terminal: io.isTTY, env: io.env, sourceLine };
  if (options.output === "yaml") io.out(toYaml(JSON.parse(reporters.json(findings, context))));
  else io.out(reporters[options.output](findings, context));
}

/** istioctl's closing words, on stderr. */
function conclude(findings: readonly Finding[], unknown: readonly string[], options: AnalyzeOptions, io: Io): void {
  if (unknown.length > 0) {
    io.err(`Not checked, because these files are only a part of the whole:\n`);
    for (const what of new Set(unknown)) io.err(`  ${what}\n`);
  }
  const target =
    options.sources.length > 0
      ? options.sources.join(", ")
      : options.allNamespaces
        ? "all namespaces"
        : `namespace: ${options.namespace}`;
  if (findings.length === 0) io.err(`✔ No validation issues found when analyzing ${target}.\n`);
  else if (exitCodeOf(findings, options.failureThreshold) === 1)
    io.err(`Error: Analyzers found issues when analyzing ${target}.\n`);
  else if (findings.some(isUnreadable)) io.err("Error: Some files couldn't be parsed.\n");
}

const RANK: Readonly<Record<Level, number>> = { Info: 0, Warning: 1, Error: 2 };

function exitCodeOf(findings: readonly Finding[], threshold: Level): 0 | 1 | 2 {
  if (findings.some(isUnreadable)) return 2;
  return findings.some(({ level }) => RANK[level] >= RANK[threshold]) ? 1 : 0;
}

function isUnreadable({ code }: Finding): boolean {
  return code === "MSH0001";
}
