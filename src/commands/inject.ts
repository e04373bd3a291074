import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { compact } from "../base/compact.ts";
import { ClusterError, MeshError, UsageError } from "../base/errors.ts";
import { type InjectContext, InjectionError } from "../inject/config.ts";
import { type InjectorSettings, readInjectorSettings } from "../inject/context.ts";
import type { InjectionDecision } from "../model/injection.ts";
import { injectDocument } from "../inject/documents.ts";
import { render } from "../install/render.ts";
import { settingsOf } from "../install/settings.ts";
import type { ConfigMap } from "../resources/core.ts";
import { syntaxHint } from "../resources/manifests.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { readValues, YamlSyntaxError } from "../resources/yaml-values.ts";
import { globalOptions, switchOption, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface InjectOptions {
  /** A file, or `-` for stdin. */
  readonly filename: string;
  /** Take mesh and injector configuration from the cluster. */
  readonly useCluster: boolean;
  /** Of documents that name none. */
  readonly namespace: string;
  readonly istioNamespace: string;
}

export interface InjectResult extends CommandResult {
  readonly workloads: readonly { readonly name: string; readonly decision: InjectionDecision }[];
}

/** `meshctl inject -f FILE`. */
export async function run(input: CommandInput, io: Io): Promise<InjectResult> {
  const filename = textOption(input, "filename");
  if (filename === undefined) throw new UsageError("inject needs a file", "Name it with -f; - is stdin.");
  const { namespace, istioNamespace } = globalOptions(input);
  const useCluster = switchOption(input, "useCluster");
  return inject({ filename, useCluster, namespace: namespace ?? "default", istioNamespace }, io);
}

/**
 * Prints the documents with the proxy in every workload; all other documents come out letter by letter. Nothing is printed
 * when one cannot be read or injected (exit code 2): half a file would be applied by the next program in the pipe.
 */
export async function inject(options: InjectOptions, io: Io): Promise<InjectResult> {
  const text = await readInput(options.filename, io);
  const settings = options.useCluster ? await fromCluster(options, io) : bundled();
  // a manual injection is asked for: policy and selectors are about the webhook
  const config = { ...settings.config, policy: "enabled", neverInjectSelector: [], alwaysInjectSelector: [] };
  const context = { ...settings, config, revision: "default" };
  const results = chunksOf(text).map((chunk) => injectChunk(chunk, context, options));
  io.out(results.map((result) => result.text).join("---\n"));
  const workloads = results.flatMap((result) => result.workloads);
  for (const { name, decision } of workloads) {
    if (!decision.inject) io.err(`${name} is left as it is: ${decision.reason}\n`);
    for (const warning of decision.warnings) io.err(`${name}: ${warning}\n`);
  }
  return { exitCode: 0, workloads };
}

async function readInput(filename: string, io: Io): Promise<string> {
  if (filename === "-") return io.readStdin();
  try {
    return await readFile(resolve(io.cwd, filename), "utf8");
  } catch (error) {
    throw new MeshError("unreadable-file", `${filename} cannot be read`, { cause: error, hint: "Check the path." });
  }
}

interface Chunk {
  readonly text: string;
  /** Lines of the file before it. */
  readonly line: number;
}

/** Documents as kubectl separates them: at lines that hold `---`. */
function chunksOf(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let line = 0;
  for (const part of text.split(/^---[ \t]*(?:#.*)?(?:\r?\n|$)/m)) {
    if (/\S/.test(part)) chunks.push({ text: part.endsWith("\n") ? part : `${part}\n`, line });
    line += part.split("\n").length;
  }
  return chunks;
}

function injectChunk(
  chunk: Chunk,
  context: Omit<InjectContext, "namespace">,
  options: InjectOptions,
): { readonly text: string; readonly workloads: InjectResult["workloads"] } {
  try {
    const results = readValues(chunk.text).map((object) => injectDocument(object, context, options.namespace));
    const workloads = results.flatMap((result) => result.workloads);
    if (!results.some((result) => result.isChanged)) return { text: chunk.text, workloads };
    return { text: results.map((result) => toYaml(result.object)).join("---\n"), workloads };
  } catch (error) {
    if (error instanceof YamlSyntaxError)
      throw new MeshError(
        "unreadable-yaml",
        `${options.filename}:${chunk.line + error.line}:${error.column} cannot be read as YAML: ${error.message}`,
        { hint: `${syntaxHint(error)} Nothing was printed.` },
      );
    if (error instanceof InjectionError)
      throw new MeshError("not-injectable", `${options.filename}: ${error.message}`, {
        hint: "Repair the annotation or the injector's configuration; nothing was printed.",
      });
    throw error;
  }
}

/** The configuration of a default install: what `install` would write into the ConfigMaps. */
function bundled(): InjectorSettings {
  const objects = render(settingsOf(undefined, [])).flatMap((part) => part.objects);
  const map = (name: string): ConfigMap =>
    objects.find((object) => object.kind === "ConfigMap" && object.metadata.name === name) as ConfigMap;
  return readInjectorSettings({ mesh: map("istio"), injector: map("istio-sidecar-injector") });
}

async function fromCluster({ istioNamespace }: InjectOptions, io: Io): Promise<InjectorSettings> {
  const cluster = await io.cluster();
  const read = async (name: string): Promise<ConfigMap> => {
    const map = await cluster.get(compact({ apiVersion: "v1", kind: "ConfigMap", namespace: istioNamespace, name }));
    if (map === undefined)
      throw new ClusterError("no-injector", `there is no ConfigMap ${istioNamespace}/${name} in the cluster`, {
        hint: "Install the mesh first, or leave --use-cluster out to use the bundled configuration.",
      });
    return map;
  };
  return readInjectorSettings({ mesh: await read("istio"), injector: await read("istio-sidecar-injector") });
}
