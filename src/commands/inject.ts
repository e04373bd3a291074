import { compact } from "../base/compact.ts";
import { sameContent } from "../base/equal.ts";
import { UsageError } from "../base/errors.ts";
import { inject as injectPod } from "../inject/inject.ts";
import type { InjectContext } from "../inject/config.ts";
import type { TemplatePaths } from "../inject/documents.ts";
import { loadExpressions } from "../inject/templates.ts";
import { kindOf, type KindTypes } from "../resources/kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import { checkOutput, type OutputFlags, writeTexts } from "./inject-output.ts";
import { counted, type InjectReport, reportOf, reportTarget, type ReportTarget, writeReport } from "./inject-report.ts";
import {
  type LoadedSettings,
  loadSettings,
  type SettingsFlags,
  settingsFlags,
  type SettingsSource,
} from "./inject-settings.ts";
import { readNamed } from "./inject-sources.ts";
import { changeText, type ReadSource, readSource } from "./inject-text.ts";
import { globalOptions, listOption, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

/** Which texts are gone through, and where they go: inject and uninject alike. */
export interface TextFlags extends OutputFlags {
  /** Files, directories, patterns, addresses, `-` for stdin. */
  readonly names: readonly string[];
  /** Of documents that name none. */
  readonly namespace: string;
  readonly templatePaths: TemplatePaths;
  readonly report: ReportTarget;
}

export interface InjectOptions extends TextFlags {
  readonly settings: SettingsFlags;
}

export interface InjectResult extends CommandResult, InjectReport {}

/** `meshctl inject -f FILE`. */
export async function run(input: CommandInput, io: Io): Promise<InjectResult> {
  return inject({ ...textFlags(input, "inject"), settings: settingsFlags(input) }, io);
}

/** Reads the flags of TextFlags. Throws UsageError when no text is named. */
export function textFlags(input: CommandInput, command: string): TextFlags {
  const names = [...input.args, ...listOption(input, "filename")];
  if (names.length === 0) throw new UsageError(`${command} needs a file`, "Name it with -f; - is stdin.");
  const output = textOption(input, "output");
  const flags = { ...compact({ output }), inPlace: switchOption(input, "inPlace") };
  checkOutput(flags, names);
  return {
    ...flags,
    names,
    namespace: globalOptions(input).namespace ?? "default",
    templatePaths: templatePaths(listOption(input, "templatePath")),
    report: reportTarget(textOption(input, "report")),
  };
}

/** Reads `Rollout.argoproj.io=spec.template`. Throws UsageError for another form. */
function templatePaths(flags: readonly string[]): TemplatePaths {
  return Object.fromEntries(
    flags.map((flag) => {
      const [, kind, group = "", path] =
        /^([A-Za-z]+)(?:\.([a-z0-9.-]+))?=([A-Za-z0-9]+(?:\.[A-Za-z0-9]+)*)$/.exec(flag) ?? [];
      if (kind === undefined || path === undefined)
        throw new UsageError(
          `"${flag}" names no place of a pod template`,
          "Write it as Rollout.argoproj.io=spec.template.",
        );
      return [`${kind}.${group}`, path.split(".")];
    }),
  );
}

/**
 * Prints the documents with the proxy in every workload; all that injection does not touch comes out letter by letter. Nothing is
 * written when one cannot be read or injected (exit code 2): half a file would be applied by the next program in the pipe.
 */
export async function inject(options: InjectOptions, io: Io): Promise<InjectResult> {
  const sources = (await readNamed(options.names, io)).map(readSource);
  const loaded = await loadSettings(options.settings, io);
  const context = await contextOf(loaded, sources);
  const texts = sources.map((source) =>
    changeText(source, {
      ...options,
      change: ({ pod, namespace, owner }) => {
        const result = injectPod(pod, { ...context, namespace, ...compact({ owner }) });
        return { decision: result.decision, pod: sameContent(pod, result.pod) ? pod : result.pod };
      },
    }),
  );
  await writeTexts(texts, options, io);
  const report = reportOf(texts, { ...loaded.source, revision: loaded.revision });
  await writeReport(report, { target: options.report, closing: closing(report, loaded.source) }, io);
  return { exitCode: 0, ...report };
}

/** Injection by hand is asked for: policy and selectors are about the webhook. */
async function contextOf(
  { settings, revision, nativeSidecars }: LoadedSettings,
  sources: readonly ReadSource[],
): Promise<Omit<InjectContext, "namespace">> {
  const config = { ...settings.config, policy: "enabled", neverInjectSelector: [], alwaysInjectSelector: [] };
  const expressions = await loadExpressions(config);
  const objects = sources.flatMap(({ documents }) => documents.map(({ value }) => value));
  const proxyConfigs = objects.filter(isProxyConfig);
  return { ...settings, config, revision, proxyConfigs, nativeSidecars, ...compact({ expressions }) };
}

/** A ProxyConfig in the files counts as one of the mesh. */
function isProxyConfig(value: unknown): value is KindTypes["ProxyConfig"] {
  const { apiVersion, kind, metadata } = (value ?? {}) as Partial<KubeObject>;
  return (
    apiVersion !== undefined &&
    kind !== undefined &&
    metadata !== undefined &&
    kindOf({ apiVersion, kind }) === "ProxyConfig"
  );
}

function closing({ workloads, otherDocuments }: InjectReport, { mesh, values, config }: SettingsSource): string {
  const injected = workloads.filter((workload) => workload.injected).length;
  const others = otherDocuments === 0 ? "" : `; ${counted(otherDocuments, "other document")} as before`;
  const parts = [...new Set([mesh, values, config])];
  const from =
    parts.length === 1 && parts[0] === "bundled" ? "the bundled configuration" : `configuration of ${parts.join(", ")}`;
  return `Injected ${injected} of ${counted(workloads.length, "workload")} with ${from}${others}.\n`;
}
