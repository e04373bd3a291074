import { UsageError } from "../base/errors.ts";
import { podsOf, type PodPlace } from "../inject/documents.ts";
import { type ConfiguredWebhook, revisionOfWebhook, webhooksCalled } from "../model/injection-webhooks.ts";
import type { LabelSelector } from "../model/label-selector.ts";
import { table } from "../report/table.ts";
import type { Cluster } from "../resources/cluster.ts";
import { type ExplainedInjection, judgedPlace, placeOf } from "./inject-explain.ts";
import { type InjectionMesh, readInjectionMesh } from "./inject-mesh.ts";
import { globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";
import { print } from "./print.ts";

/** What one webhook configuration does about a pod. */
export interface CheckedWebhook {
  readonly webhook: string;
  readonly revision: string;
  readonly injected: boolean;
  readonly reason: string;
}

/** `meshctl check-inject POD`: which webhooks are called for a pod, and whether the injector then injects. 1 when it does not. */
export async function run(input: CommandInput, io: Io): Promise<CommandResult> {
  const cluster = await io.cluster();
  const { namespace = "default", istioNamespace } = globalOptions(input);
  const place = await placeOfInput(input, cluster, namespace);
  const mesh = await readInjectionMesh(cluster, istioNamespace);
  const [webhooks, explained] = [await checkedWebhooks(mesh, place), await judgedPlace(mesh, place)];
  const { outcome, reason, steps } = explained;
  const data = { kind: place.kind, namespace: place.namespace, name: place.name, webhooks, outcome, reason };
  const mark = (isInjected: boolean): string => (isInjected ? "✔" : "✘");
  const rows = webhooks.map((each) => [each.webhook, each.revision, mark(each.injected), each.reason]);
  const verdict = `${mark(outcome === "injected")} ${outcome.replace("-", " ")}: ${reason}`;
  print(input, io, { data, text: `${table(["WEBHOOK", "REVISION", "INJECTED", "REASON"], rows)}${verdict}\n` });
  const trouble = troubleOf(webhooks);
  if (trouble !== undefined) io.err(`ERROR: ${trouble}\n`);
  else if (outcome !== "injected") io.err(hintOf(steps));
  return { exitCode: trouble === undefined && outcome === "injected" ? 0 : 1 };
}

async function placeOfInput(input: CommandInput, cluster: Cluster, namespace: string): Promise<PodPlace> {
  const [target, ...more] = input.args;
  const labels = textOption(input, "labels");
  if (more.length > 0 || (target === undefined) === (labels === undefined))
    throw new UsageError("name one pod, or its labels with --labels", "As in: meshctl check-inject deploy/web.shop");
  if (target !== undefined) return (await placeOf(cluster, target, namespace)).place;
  const metadata = { name: "any", namespace, labels: labelsOf(labels ?? "") };
  const [place] = podsOf({ apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [] } }, { namespace });
  if (place === undefined) throw new UsageError(`no pod can have the labels ${labels}`);
  return place;
}

function labelsOf(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(",").map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new UsageError(`--labels: expected key=value, got "${pair}"`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}

/** A line for each configuration: several entries of one are one injector. */
async function checkedWebhooks(mesh: InjectionMesh, place: PodPlace): Promise<readonly CheckedWebhook[]> {
  const namespace = { name: place.namespace, labels: await mesh.labelsOf(place.namespace) };
  const labels = place.pod.metadata?.labels ?? {};
  const called = webhooksCalled(mesh.webhooks, namespace, labels);
  const names = [...new Set(mesh.webhooks.map(({ object }) => object.metadata.name))].toSorted();
  return names.map((name) => {
    const entries = mesh.webhooks.filter(({ object }) => object.metadata.name === name);
    const [first] = entries;
    const hit = called.find(({ object }) => object.metadata.name === name);
    return {
      webhook: name,
      revision: first === undefined ? "" : revisionOfWebhook(first),
      injected: hit !== undefined,
      reason: hit === undefined ? `takes ${wordsOfAll(entries)}` : `matches ${wordsOf(hit)}`,
    };
  });
}

function wordsOfAll(entries: readonly ConfiguredWebhook[]): string {
  const words = [...new Set(entries.map(wordsOf))].filter((each) => each !== NEVER);
  return words.length === 0 ? "no pod" : words.join("; or ");
}

/** Selectors that nothing can have, as those of a revision whose tag took over. */
const NEVER = "nothing";

/** What an entry asks for, without what it refuses. */
function wordsOf({ webhook: { namespaceSelector, objectSelector } }: ConfiguredWebhook): string {
  const parts = [wanted("namespace", namespaceSelector), wanted("pod", objectSelector)].flat();
  return parts.length === 0
    ? "every pod"
    : parts.some((each) => each.includes("deactivated"))
      ? NEVER
      : parts.join(", ");
}

function wanted(of: string, { matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): readonly string[] {
  const labels = Object.entries(matchLabels).map(([key, value]) => `${of} label ${key}=${value}`);
  const expressions = matchExpressions.flatMap(({ key, operator, values = [] }) => {
    if (operator === "In") return [`${of} label ${key}=${values.join("|")}`];
    return operator === "Exists" ? [`${of} label ${key}`] : [];
  });
  return [...labels, ...expressions];
}

function troubleOf(webhooks: readonly CheckedWebhook[]): string | undefined {
  if (webhooks.length === 0) return "no Istio injection hooks present.";
  if (webhooks.filter(({ injected }) => injected).length > 1)
    return "multiple webhooks will inject, which can lead to errors";
  return undefined;
}

/** What would turn it around, where a step knows. */
function hintOf(steps: ExplainedInjection["steps"]): string {
  const change = steps.find((step) => step.change !== undefined)?.change;
  return change === undefined
    ? "meshctl inject explain tells every rule.\n"
    : `To change it: ${change.words}. meshctl inject explain tells every rule.\n`;
}
