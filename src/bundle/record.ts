import { ClusterError, errorText } from "../base/errors.ts";
import type { Cluster, KindRef, ListOptions, PodPort, PodRequest, TargetRef } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import { accessKey, answerKey, kindKey, type Problem, type RecordedAnswer } from "./format.ts";
import { selected } from "./select.ts";

type Exchange = (target: PodPort, asked: PodRequest) => Promise<{ readonly status: number; readonly body: string }>;

/** One kind, as far as it was asked for. */
export interface HeldKind extends KindRef {
  served?: boolean;
  readonly objects: Map<string, KubeObject>;
  problem?: Problem;
}

/** All that was asked and answered. */
export interface Recorded {
  readonly kinds: Map<string, HeldKind>;
  readonly access: Map<string, boolean>;
  readonly answers: Map<string, Omit<RecordedAnswer, "file"> & { readonly body?: string }>;
  readonly logs: Map<
    string,
    { readonly namespace: string; readonly pod: string; readonly container: string; readonly text: string }
  >;
  version: { readonly gitVersion: string; readonly major: string; readonly minor: string } | undefined;
}

/** Nothing yet. */
export function emptyRecord(): Recorded {
  return { kinds: new Map(), access: new Map(), answers: new Map(), logs: new Map(), version: undefined };
}

/**
 * A cluster that writes down what it is asked and what the real one answers, so that whoever ran against it can run again
 * against the record. Lists are asked for whole and once; nothing can be changed through it. `exchange`: HTTP to pods.
 */
export function recording(cluster: Cluster, record: Recorded, exchange: Exchange): Cluster {
  const asking = async (key: string, question: () => Promise<boolean>): Promise<boolean> => {
    const answer = await question();
    record.access.set(key, answer);
    return answer;
  };
  return {
    ...unchangeable("a bundle is being made"),
    ...recordingObjects(cluster, record),
    context: cluster.context,
    watch: () => Promise.reject(new ClusterError("not-recorded", "what goes on cannot be written down")),
    async version() {
      record.version = await cluster.version();
      return record.version;
    },
    canI: (access) => asking(accessKey(access), () => cluster.canI(access)),
    mayAccount: (account, access) =>
      asking(accessKey({ ...account, ...access, of: "account" }), () => cluster.mayAccount(account, access)),
    async logs(target) {
      const text = await cluster.logs(target);
      const { namespace, pod, container = "" } = target;
      record.logs.set(`${namespace}/${pod}/${container}`, { namespace, pod, container, text });
      return text;
    },
    async podHttp(target, asked) {
      const entry = { ...target, ...asked };
      try {
        const answer = await exchange(target, asked);
        record.answers.set(answerKey(target, asked), { ...entry, ...answer });
        return answer;
      } catch (error) {
        record.answers.set(answerKey(target, asked), { ...entry, problem: problemOf(error) });
        throw error;
      }
    },
    portForward: () => Promise.reject(new ClusterError("not-recorded", "a connection cannot be written down")),
  };
}

/** The part that reads objects. */
function recordingObjects(cluster: Cluster, record: Recorded): Pick<Cluster, "get" | "list" | "serves"> {
  const lists = new Map<string, Promise<readonly KubeObject[]>>();
  const held = (ref: KindRef): HeldKind => {
    const known = record.kinds.get(kindKey(ref)) ?? { apiVersion: ref.apiVersion, kind: ref.kind, objects: new Map() };
    record.kinds.set(kindKey(ref), known);
    return known;
  };
  const keep = (ref: KindRef, objects: readonly KubeObject[]): readonly KubeObject[] => {
    for (const object of objects) held(ref).objects.set(nameOf(object), object);
    return objects;
  };
  const whole = (ref: KindRef, signal?: AbortSignal): Promise<readonly KubeObject[]> => {
    const known = lists.get(kindKey(ref));
    if (known !== undefined) return known;
    const asked = cluster.list(ref, signal === undefined ? {} : { signal }).then(
      (objects) => keep(ref, objects),
      (error: unknown) => {
        held(ref).problem = problemOf(error);
        throw error;
      },
    );
    lists.set(kindKey(ref), asked);
    return asked;
  };
  return {
    async get(target: TargetRef) {
      const object = await cluster.get(target);
      keep(target, object === undefined ? [] : [object]);
      return object;
    },
    async list(ref: KindRef, options: ListOptions = {}) {
      held(ref);
      try {
        return selected(await whole(ref, options.signal), options);
      } catch (error) {
        // who may not see all may see a namespace
        if (options.namespace === undefined || !isForbidden(error)) throw error;
        return keep(ref, await cluster.list(ref, options));
      }
    },
    async serves(ref) {
      const answer = await cluster.serves(ref);
      held(ref).served = answer;
      return answer;
    },
  };
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}

function problemOf(error: unknown): Problem {
  return { code: error instanceof ClusterError ? error.code : "error", words: errorText(error) };
}

function isForbidden(error: unknown): boolean {
  return error instanceof ClusterError && error.code === "forbidden";
}

type Writing = "apply" | "create" | "mergePatch" | "replace" | "delete" | "createToken" | "reviewToken";

/** The half of a cluster that changes it, refused. */
export function unchangeable(why: string): Pick<Cluster, Writing> {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new ClusterError("read-only", `nothing can be changed: ${why}`, { hint: "run it against the cluster" }),
    );
  return {
    apply: refuse,
    create: refuse,
    mergePatch: refuse,
    replace: refuse,
    delete: refuse,
    createToken: refuse,
    reviewToken: refuse,
  };
}
