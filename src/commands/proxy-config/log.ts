import { UsageError } from "../../base/errors.ts";
import type { Cluster } from "../../resources/cluster.ts";
import { globalOptions, switchOption, textOption } from "../input.ts";
import type { CommandInput, CommandResult, Io } from "../io.ts";
import { findPod, postText } from "../pod-http.ts";
import { print } from "../print.ts";
import { adminPort } from "./source.ts";

/** Levels that Envoy knows. */
const LEVELS: readonly string[] = ["trace", "debug", "info", "warning", "error", "critical", "off"];

/** What the agent starts Envoy with: everything at warning, and one logger that says too much below error. */
const RESET: readonly string[] = ["level=warning", "misc=error"];

/** `meshctl proxy-config log POD`: levels of Envoy's loggers, and how they are changed while it runs. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const changes = changesOf(input);
  const port = adminPort(input);
  const cluster = await io.cluster();
  const told: { name: string; loggers: Readonly<Record<string, string>> }[] = [];
  for (const { namespace, pod } of await podsOf(cluster, input)) {
    const ask = (query: string): Promise<string> => postText(cluster, { namespace, pod, port }, `/logging${query}`);
    for (const change of changes) await ask(`?${change}`);
    told.push({ name: `${pod}.${namespace}`, loggers: loggersOf(await ask("")) });
  }
  const texts = told.map(({ name, loggers }) => {
    const lines = Object.entries(loggers).map(([logger, level]) => `  ${logger}: ${level}\n`);
    return `${name}:\nactive loggers:\n${lines.join("")}\n`;
  });
  print(input, io, { data: told, text: texts.join("") });
  return { exitCode: 0 };
}

async function podsOf(cluster: Cluster, input: CommandInput): Promise<readonly { namespace: string; pod: string }[]> {
  const namespace = globalOptions(input).namespace ?? "default";
  const labelSelector = textOption(input, "selector");
  if ((labelSelector === undefined) === (input.args.length === 0))
    throw new UsageError("name pods, or select them with --selector: one of both");
  if (labelSelector === undefined) return Promise.all(input.args.map((pod) => findPod(cluster, pod, namespace)));
  const pods = await cluster.list(
    { apiVersion: "v1", kind: "Pod" },
    { namespace, labelSelector, fieldSelector: "status.phase=Running" },
  );
  if (pods.length === 0) throw new UsageError(`no running pod in ${namespace} has the labels ${labelSelector}`);
  return pods.map(({ metadata }) => ({ namespace, pod: metadata.name }));
}

/** Queries of /logging, in order: `--reset`, then `--level debug` or `--level http:debug,rbac:trace`. Throws UsageError. */
function changesOf(input: CommandInput): readonly string[] {
  const reset = switchOption(input, "reset") ? RESET : [];
  const level = textOption(input, "level");
  if (level === undefined) return reset;
  const words = level.split(",").map((word) => word.trim());
  const wrong = words.find((word) => !LEVELS.includes(word.split(":").at(-1) ?? "") || word.split(":").length > 2);
  if (wrong !== undefined)
    throw new UsageError(`--level: "${wrong}" is no level`, `Levels: ${LEVELS.join(", ")}; of one logger: http:debug.`);
  return [
    ...reset,
    ...words.map((word) => {
      const [logger, own] = word.split(":");
      return own === undefined ? `level=${word}` : `${encodeURIComponent(logger ?? "")}=${own}`;
    }),
  ];
}

/** Logger -> level, of Envoy's list. */
function loggersOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const match = /^ {2}(\S+): (\S+)$/.exec(line);
      return match === null ? [] : [[match[1] ?? "", match[2] ?? ""]];
    }),
  );
}
