import { compileExpression } from "../../base/expressions.ts";
import { nearest } from "../../base/nearest.ts";
import { own } from "../../base/own.ts";
import { readInjectionTemplate } from "../../model/injection-template.ts";
import type { ConfigMap } from "../../resources/core.ts";
import { parseYaml } from "../../resources/yaml-plain.ts";
import { type AnalyzerInput, defineAnalyzer } from "../analyzer.ts";
import { eachWrittenPod, TEMPLATE_KINDS } from "../istio/shared-templates.ts";

const CONFIG_MAP = /^istio-sidecar-injector(-|$)/;
const ANNOTATION = "inject.istio.io/templates";

/** A template that cannot be used, or that is not there: pods that ask for it are refused by the injector, so none starts. */
export const injectionTemplates = defineAnalyzer({
  name: "injection-templates",
  summary: "Checks templates in the injector's configuration, and that those which pods ask for are there.",
  reads: ["ConfigMap", ...TEMPLATE_KINDS],
  codes: ["MSH0501", "MSH0502", "MSH0503"],
  analyze: (input) => {
    const maps = input.world
      .list("ConfigMap", input.model.rootNamespace)
      .filter(({ metadata }) => CONFIG_MAP.test(metadata.name));
    const known = maps.flatMap((map) => {
      const { templates = {}, aliases = {} } = configOf(map);
      for (const [name, text] of Object.entries(templates)) checkTemplate(input, map, name, text);
      return [...Object.keys(templates), ...Object.keys(aliases)];
    });
    if (maps.length > 0) checkPods(input, [...new Set(known)].toSorted());
  },
});

type Input = AnalyzerInput<"ConfigMap" | (typeof TEMPLATE_KINDS)[number], "MSH0501" | "MSH0502" | "MSH0503">;

interface Config {
  readonly templates?: Readonly<Record<string, unknown>> | null;
  readonly aliases?: Readonly<Record<string, unknown>> | null;
}

function configOf(map: ConfigMap): { readonly [K in keyof Config]?: NonNullable<Config[K]> } {
  try {
    const value = (parseYaml(map.data?.["config"] ?? "") ?? {}) as Config;
    return { templates: value.templates ?? {}, aliases: value.aliases ?? {} };
  } catch {
    // the injector says that it cannot be read; there is no code for it
    return {};
  }
}

function checkTemplate({ report }: Input, map: ConfigMap, template: string, text: unknown): void {
  if (typeof text !== "string") return;
  const read = readInjectionTemplate(text, compileExpression);
  if (!("problem" in read)) return;
  const { code, line, problem } = read.problem;
  const path = ["data", "config", "templates", template];
  if (code === "MSH0501") report(map, path, code, { template, line, action: problem });
  else report(map, path, code, { template, line, problem });
}

function checkPods({ world, report }: Input, known: readonly string[]): void {
  eachWrittenPod(world, ({ object, at, metadata }) => {
    const asked = own(metadata.annotations ?? {}, ANNOTATION) ?? "";
    for (const template of asked.split(",").map((name) => name.trim())) {
      if (template === "" || known.includes(template)) continue;
      const args = { template, known: known.join(", "), nearest: nearest(template, known) ?? "" };
      report(object, [...at, "metadata", "annotations", ANNOTATION], "MSH0503", args);
    }
  });
}
