import { decideInjection } from "../model/injection.ts";
import { revisionOfWebhook, webhooksCalled } from "../model/injection-webhooks.ts";
import { table } from "../report/table.ts";
import type { KubeObject } from "../resources/object.ts";
import { toYaml } from "../resources/yaml-plain.ts";
import { readInjectionMesh } from "./inject-mesh.ts";
import { globalOptions, textOption } from "./input.ts";
import type { CommandInput, CommandResult, Io } from "./io.ts";

export interface InjectListOptions {
  readonly istioNamespace: string;
  readonly output: "table" | "json" | "yaml";
}

/** One webhook configuration that injects. */
export interface InjectorEntry {
  readonly name: string;
  readonly revision: string;
  /** The tag that the configuration is for; absent for a revision's own. */
  readonly tag?: string;
  /** `namespace/name` of the Service it calls, or its address. */
  readonly service: string;
  /** `enabled`, `disabled` or what else its settings say; absent when they cannot be read. */
  readonly policy?: string;
  /** Namespaces whose pods it injects unless they say otherwise, sorted. */
  readonly namespaces: readonly string[];
}

/** What `inject list -o json` prints: schemas/output/inject-list.schema.json. */
export interface InjectorList {
  readonly injectors: readonly InjectorEntry[];
  /** Namespaces that ask for a revision without an injector. */
  readonly unserved: readonly { readonly namespace: string; readonly because: string }[];
}

export interface InjectListResult extends CommandResult, InjectorList {}

/** `meshctl inject list`. */
export async function run(input: CommandInput, io: Io): Promise<InjectListResult> {
  const output = textOption(input, "output");
  const { istioNamespace } = globalOptions(input);
  return injectList({ istioNamespace, output: output === "json" || output === "yaml" ? output : "table" }, io);
}

/** Lists injectors, their revisions and tags, and the namespaces they serve; namespaces that nobody serves are named on stderr. */
export async function injectList({ istioNamespace, output }: InjectListOptions, io: Io): Promise<InjectListResult> {
  const cluster = await io.cluster();
  const mesh = await readInjectionMesh(cluster, istioNamespace);
  const namespaces = await cluster.list({ apiVersion: "v1", kind: "Namespace" });
  const configurations = [...new Set(mesh.webhooks.map(({ object }) => object))];
  const injectors: InjectorEntry[] = [];
  for (const object of configurations.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const webhooks = mesh.webhooks.filter((webhook) => webhook.object === object);
    const revision = revisionOfWebhook({ object });
    const tag = object.metadata.labels?.["istio.io/tag"];
    const policy = (await mesh.settingsOf(revision))?.policy.policy;
    injectors.push({
      name: object.metadata.name,
      revision,
      ...(tag === undefined || tag === revision ? {} : { tag }),
      service: serviceOf(webhooks[0]?.webhook.clientConfig),
      ...(policy === undefined ? {} : { policy }),
      namespaces: namespaces
        .filter((namespace) => webhooksCalled(webhooks, place(namespace), {}).length > 0)
        .map(({ metadata }) => metadata.name)
        .toSorted(),
    });
  }
  const unserved = namespaces.flatMap((namespace) => {
    const { rule, reason } = decideInjection({ pod: {}, namespace: place(namespace), calls: mesh.webhooks });
    return rule === "webhook" ? [{ namespace: namespace.metadata.name, because: reason }] : [];
  });
  const list: InjectorList = { injectors, unserved };
  print(list, output, io);
  return { exitCode: 0, ...list };
}

function place({ metadata }: KubeObject): { readonly name: string; readonly labels: Readonly<Record<string, string>> } {
  return { name: metadata.name, labels: metadata.labels ?? {} };
}

type ClientConfig = { readonly url?: string; readonly service?: { readonly name: string; readonly namespace: string } };

function serviceOf({ url, service }: ClientConfig = {}): string {
  return service === undefined ? (url ?? "") : `${service.namespace}/${service.name}`;
}

function print(list: InjectorList, output: InjectListOptions["output"], io: Io): void {
  if (output === "json") io.out(`${JSON.stringify(list, undefined, 2)}\n`);
  else if (output === "yaml") io.out(toYaml(list));
  else {
    const rows = list.injectors.map(({ name, revision, tag = "", service, policy = "", namespaces }) => [
      name,
      revision,
      tag,
      service,
      policy,
      namespaces.join(","),
    ]);
    io.out(table(["INJECTOR", "REVISION", "TAG", "SERVICE", "POLICY", "NAMESPACES"], rows));
    for (const { namespace, because } of list.unserved) io.err(`namespace ${namespace} is not injected: ${because}\n`);
    if (list.injectors.length === 0) io.err("There is no injector in the cluster. Install one with meshctl install.\n");
  }
}
