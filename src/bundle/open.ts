import { ClusterError, EnvironmentError, errorText } from "../base/errors.ts";
import { NOT_IN_BUNDLE } from "../base/redacted.ts";
import type { Cluster, KindRef } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { type BundleFiles, readArchive } from "./files.ts";
import { accessKey, answerKey, type BundleContents, CONTENTS, kindKey, type Problem } from "./format.ts";
import { unchangeable } from "./record.ts";
import { selected } from "./select.ts";

/** A bundle that was opened. */
export interface OpenBundle {
  /** Answers what was asked when the bundle was made. */
  readonly cluster: Cluster;
  /** When that was: certificates were valid then. */
  readonly createdAt: Date;
  /** The mesh's further clusters, by name. */
  readonly more: ReadonlyMap<string, Cluster>;
}

/**
 * Opens what `meshctl bug-report` wrote as a cluster to read from. A question that was not asked then is a ClusterError
 * `not-in-bundle` (NOT_IN_BUNDLE); one that failed then fails in the same words. Throws EnvironmentError when the file is no bundle.
 */
export async function openBundle(path: string, name: string): Promise<OpenBundle> {
  const files = await readArchive(path, name);
  const contents = contentsOf(files, name);
  const more = (contents.more ?? []).map((other): [string, Cluster] => {
    const own = inFolder(files, other.folder);
    return [other.name, clusterOf(contentsOf(own, name), own, name)];
  });
  const createdAt = new Date(contents.createdAt);
  return { cluster: clusterOf(contents, files, name), createdAt, more: new Map(more) };
}

function inFolder(files: BundleFiles, folder: string): BundleFiles {
  const inside = [...files].filter(([path]) => path.startsWith(`${folder}/`));
  return new Map(inside.map(([path, bytes]) => [path.slice(folder.length + 1), bytes]));
}

function contentsOf(files: BundleFiles, name: string): BundleContents {
  const hint = "Name a file that meshctl bug-report wrote.";
  const text = files.get(CONTENTS)?.toString("utf8");
  if (text === undefined)
    throw new EnvironmentError("bad-bundle", `${name} is no bundle: it has no ${CONTENTS}`, { hint });
  let contents: Partial<BundleContents>;
  try {
    contents = JSON.parse(text) as Partial<BundleContents>;
  } catch (error) {
    throw new EnvironmentError("bad-bundle", `${name}: ${CONTENTS} is no JSON: ${errorText(error)}`, { hint });
  }
  if (contents.format === 1) return contents as BundleContents;
  throw new EnvironmentError("bad-bundle", `${name}: expected a bundle of form 1, got ${String(contents.format)}`, {
    hint: "Use the meshctl that wrote it.",
  });
}

function clusterOf(contents: BundleContents, files: BundleFiles, name: string): Cluster {
  const kinds = new Map(contents.kinds.map((kind) => [kindKey(kind), kind]));
  const answers = new Map(contents.answers.map((answer) => [answerKey(answer, answer), answer]));
  const logs = new Map(contents.logs.map((log) => [`${log.namespace}/${log.pod}/${log.container}`, log.file]));
  const lacking = (what: string): ClusterError =>
    new ClusterError(NOT_IN_BUNDLE, `${name} does not say ${what}`, {
      hint: "It was not asked when the bundle was made.",
    });
  const textOf = (file: string): string => files.get(file)?.toString("utf8") ?? "";
  const itemsOf = readOnce((file) => (JSON.parse(textOf(file)) as { items: readonly KubeObject[] }).items);
  const objectsOf = (ref: KindRef): readonly KubeObject[] => {
    const kind = kinds.get(kindKey(ref));
    if (kind === undefined) throw lacking(`which ${ref.kind} objects there are`);
    if (kind.problem !== undefined && kind.file === undefined) throw again(kind.problem);
    return kind.file === undefined ? [] : itemsOf(kind.file);
  };
  const answered = (key: string, what: string): Promise<boolean> => {
    const answer = contents.access[key];
    return answer === undefined ? Promise.reject(lacking(what)) : Promise.resolve(answer);
  };
  return {
    ...unchangeable(`${name} is a bundle`),
    context: { name: `${contents.context.name} (${name})`, server: contents.context.server },
    get: async (ref) =>
      objectsOf(ref).find(
        ({ metadata }) => metadata.name === ref.name && (metadata.namespace ?? "") === (ref.namespace ?? ""),
      ),
    list: async (ref, options = {}) => selected(objectsOf(ref), options),
    serves: async (ref) => kinds.get(kindKey(ref))?.served ?? (kinds.get(kindKey(ref))?.objects ?? 0) > 0,
    async watch(ref, options, onEvent, signal) {
      for (const object of selected(objectsOf(ref), options)) onEvent({ type: "ADDED", object });
      onEvent({ type: "SYNCED" });
      // nothing more ever happens in a bundle
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
    version: async () => {
      if (contents.version === undefined) throw lacking("which Kubernetes it was");
      return contents.version;
    },
    serverTime: async () => new Date(contents.createdAt),
    canI: (access) => answered(accessKey(access), `whether you may ${access.verb} ${access.resource}`),
    mayAccount: (account, access) =>
      answered(
        accessKey({ ...account, ...access, of: "account" }),
        `whether ${account.name} may ${access.verb} ${access.resource}`,
      ),
    logs: async ({ namespace, pod, container = "" }) => {
      const file = logs.get(`${namespace}/${pod}/${container}`);
      if (file === undefined) throw lacking(`what ${namespace}/${pod} logged`);
      return textOf(file);
    },
    podHttp: async (target, asked) => {
      const answer = answers.get(answerKey(target, asked));
      if (answer === undefined) throw lacking(`what pod ${answerKey(target, asked)} answers`);
      if (answer.problem !== undefined) throw again(answer.problem);
      return { status: answer.status ?? 200, body: textOf(answer.file ?? "") };
    },
    portForward: () => Promise.reject(lacking("anything by a connection")),
  };
}

/** An error as it was when the bundle was made. */
function again({ code, words }: Problem): ClusterError {
  return new ClusterError(code, words, { hint: "So the cluster answered when the bundle was made." });
}

function readOnce<V>(read: (file: string) => V): (file: string) => V {
  const known = new Map<string, V>();
  return (file) => {
    const value = known.get(file) ?? read(file);
    known.set(file, value);
    return value;
  };
}
