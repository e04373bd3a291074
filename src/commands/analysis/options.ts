import type { Profile } from "../../analyzers/analyzer.ts";
import { compact } from "../../base/compact.ts";
import { UsageError } from "../../base/errors.ts";
import type { Level } from "../../diagnostics/finding.ts";
import { parseOutputs, type ReportOutput } from "../../report/outputs.ts";
import { commaList, durationOption, globalOptions, listOption, switchOption, textOption } from "../input.ts";
import type { CommandInput, OptionValue } from "../io.ts";
import type { ProjectFile } from "./project-file.ts";

/** What `meshctl analyze` is asked. */
export interface AnalyzeOptions {
  /** Files, directories, `-`; none: the cluster alone. */
  readonly sources: readonly string[];
  /** `wanted`: asked for by a flag; `base`: below the files when it can be reached; `no`: never opened. */
  readonly cluster: "wanted" | "base" | "no";
  /** Namespace of file objects that name none, and of live findings. Default `default`. */
  readonly namespace: string;
  /** Report live findings of every namespace. */
  readonly allNamespaces: boolean;
  /** Control plane's namespace. Default istio-system. */
  readonly rootNamespace: string;
  /** Exit code 1 from this level on. Default Error. */
  readonly failureThreshold: Level;
  /** Findings below this level are not printed; they still decide the exit code. Default Info. */
  readonly outputThreshold?: Level;
  /** Default: text on stdout. */
  readonly outputs?: readonly ReportOutput[];
  /** What runs besides the default analyzers. */
  readonly profiles?: readonly Profile[];
  /** Only these analyzers, by our names or istioctl's. */
  readonly analyzers?: readonly string[];
  /** Files are the whole mesh: what is not there does not exist. */
  readonly complete?: boolean;
  /** A skipped analyzer is a failure. */
  readonly strict?: boolean;
  /** Documents that cannot be read, or are no objects, are passed over silently. */
  readonly ignoreUnknown?: boolean;
  /** Tell on stderr what was analyzed, by which analyzers. */
  readonly verbose?: boolean;
  /** Mesh configuration in place of the mesh's own. */
  readonly meshConfigFile?: string;
  /** DNS suffix of the cluster; default: as the control plane was told. */
  readonly domain?: string;
  /** Only objects for this revision of the control plane, and its mesh configuration. */
  readonly revision?: string;
  /** Kubeconfig contexts, one per cluster of the mesh; files lie on top of the first. Default: the current one. */
  readonly contexts?: readonly string[];
  /** More contexts besides the current one. */
  readonly remoteContexts?: readonly string[];
  /** After this time what has not been read or run is skipped and told. Default 5 minutes. */
  readonly timeoutMs?: number;
  /** `-S`: `CODE`, or `CODE=Kind namespace/name` with `*`. */
  readonly suppress?: readonly string[];
  /** File of findings that are known; only others count. */
  readonly baseline?: string;
  /** Write the baseline instead of judging. */
  readonly writeBaseline?: boolean;
  /** Compare with the files at a git revision: only findings that are new count. */
  readonly newSince?: string;
  /** The control plane's own findings about what it holds, instead of an analysis here. */
  readonly liveStatus?: boolean;
  /** Analyze again whenever a file changes. */
  readonly watch?: boolean;
  /** Colours; default: on a terminal. */
  readonly color?: boolean;
  readonly project?: ProjectFile;
}

const LEVELS: readonly Level[] = ["Info", "Warning", "Error"];

/** Reads the flags, with the project file for what they do not say. */
export function readOptions(input: CommandInput, project: ProjectFile | undefined): AnalyzeOptions {
  const { namespace, istioNamespace } = globalOptions(input);
  const settings = project?.settings ?? {};
  const options: AnalyzeOptions = {
    ...readTarget(input, project),
    ...readJudgement(input, settings),
    namespace: namespace ?? settings.namespace ?? "default",
    allNamespaces: switchOption(input, "allNamespaces"),
    rootNamespace: istioNamespace,
    ignoreUnknown: switchOption(input, "ignoreUnknown"),
    contexts: commaList(input, "contexts"),
    remoteContexts: commaList(input, "remoteContexts"),
    timeoutMs: durationOption(input, "timeout", "5m"),
    watch: switchOption(input, "watch"),
    liveStatus: switchOption(input, "liveStatus"),
    verbose: switchOption(input, "verbose"),
    ...compact({
      baseline: textOption(input, "baseline") ?? project?.path(settings.baseline),
      meshConfigFile: textOption(input, "meshConfigFile") ?? project?.path(settings.meshConfigFile),
      domain: textOption(input, "clusterDomain") ?? settings.clusterDomain,
      revision: textOption(input, "revision"),
      newSince: textOption(input, "newSince"),
      color: colorOf(input.options["color"]),
      project,
    }),
  };
  refuse(options);
  return options;
}

type Judgement = Pick<
  AnalyzeOptions,
  | "failureThreshold"
  | "outputThreshold"
  | "outputs"
  | "profiles"
  | "analyzers"
  | "complete"
  | "strict"
  | "suppress"
  | "writeBaseline"
>;

/** What runs, what counts, and how it is told. */
function readJudgement(input: CommandInput, settings: ProjectFile["settings"]): Judgement {
  const outputs = listOption(input, "output");
  const level = (flag: string, name: string, fallback: Level): Level =>
    levelOf(flag, textOption(input, name), fallback);
  return {
    failureThreshold: level("--failure-threshold", "failureThreshold", settings.failureThreshold ?? "Error"),
    outputThreshold: level("--output-threshold", "outputThreshold", settings.outputThreshold ?? "Info"),
    outputs: parseOutputs(outputs.length > 0 ? outputs : (settings.output ?? [])),
    profiles: profilesOf([...commaList(input, "profile"), ...commaList(input, "checks")], settings.profiles ?? []),
    analyzers: commaList(input, "analyzer"),
    complete: switchOption(input, "complete") || settings.complete === true,
    strict: switchOption(input, "strict") || settings.strict === true,
    suppress: listOption(input, "suppress"),
    writeBaseline: switchOption(input, "writeBaseline"),
  };
}

function refuse({ sources, newSince, watch, writeBaseline, baseline, liveStatus }: AnalyzeOptions): void {
  if (liveStatus === true && sources.length > 0)
    throw new UsageError(
      "--live-status asks the control plane, which knows no files",
      "Leave the files out, or the flag.",
    );
  if (newSince !== undefined && (sources.length === 0 || sources.includes("-")))
    throw new UsageError("--new-since compares files with git", "Name files or directories of a git repository.");
  if (watch === true && (sources.length === 0 || sources.includes("-")))
    throw new UsageError("--watch needs files", "Name files or directories to watch.");
  if (newSince !== undefined && (baseline !== undefined || writeBaseline === true))
    throw new UsageError("--new-since and a baseline both say what is known", "Choose one of them.");
}

function readTarget(
  input: CommandInput,
  project: ProjectFile | undefined,
): Pick<AnalyzeOptions, "sources" | "cluster"> {
  const useKube = useKubeOf(input);
  const offline = switchOption(input, "offline") || switchOption(input, "onlyFiles") || useKube === "false";
  const wantsCluster = useKube !== undefined || commaList(input, "contexts").length > 0;
  const named = [
    ...input.args,
    // `--use-kube dir/` takes the directory for the flag's value
    ...strayValue(useKube, ["true", "false"]),
    ...strayValue(input.options["color"], COLOR_WORDS),
    ...listOption(input, "filename"),
  ];
  const sources = named.length > 0 || (wantsCluster && !offline) ? named : (project?.paths ?? []);
  if (offline) return { sources: needed(sources), cluster: "no" };
  return { sources, cluster: sources.length === 0 || wantsCluster ? "wanted" : "base" };
}

function useKubeOf(input: CommandInput): OptionValue | undefined {
  const given = input.options["useKube"];
  // `-k=false`, as istioctl takes it
  return typeof given === "string" ? given.replace(/^=/, "") : given;
}

function needed(sources: readonly string[]): readonly string[] {
  if (sources.length > 0) return sources;
  throw new UsageError("nothing to analyze: no files, and --offline", "Name files or directories, or - for stdin.");
}

const COLOR_WORDS: readonly string[] = ["true", "false", "always", "never", "auto"];

function strayValue(value: unknown, words: readonly string[]): readonly string[] {
  return typeof value === "string" && !words.includes(value) ? [value] : [];
}

function colorOf(value: unknown): boolean | undefined {
  if (value === undefined || value === "auto") return undefined;
  return value !== "false" && value !== "never" && value !== false;
}

function levelOf(flag: string, text: string | undefined, fallback: Level): Level {
  if (text === undefined) return fallback;
  const level = LEVELS.find((known) => known.toLowerCase() === text.toLowerCase());
  if (level === undefined)
    throw new UsageError(`${flag}: unknown level "${text}"`, `Choose one of ${LEVELS.join(", ")}.`);
  return level;
}

const PROFILES: readonly Profile[] = ["default", "security"];

function profilesOf(given: readonly string[], fallback: readonly string[]): readonly Profile[] {
  const names = given.length > 0 ? given : fallback;
  return names.map((name) => {
    const profile = PROFILES.find((known) => known === name);
    if (profile === undefined)
      throw new UsageError(`unknown profile "${name}" of checks`, `Choose one of ${PROFILES.join(", ")}.`);
    return profile;
  });
}
