import { gatewayApiKinds, meshKinds } from "../gen/mesh-kinds.ts";
import type { KubeObject } from "../resources/object.ts";
import type { WorldChange } from "../resources/world.ts";

/** One change of an object that decides what proxies do, as `/debug/changes` lists it. */
export interface RecentChange {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly type: "set" | "delete";
  /** ISO time at which this instance heard of it. */
  readonly time: string;
  readonly generation?: number;
  /** Who wrote it, where this instance was asked about it before. */
  readonly user?: string;
}

/** What was changed of late. Nothing of what the objects say is kept. */
export interface RecentChanges {
  /** Changes as the watches tell them; those of the first lists are no news. */
  readonly note: (changes: readonly WorldChange[]) => void;
  /** Who is about to write an object, as the API server says when it asks about it. */
  readonly reviewed: (object: Pick<KubeObject, "kind" | "metadata">, user: string) => void;
  /** Oldest first. */
  readonly list: () => readonly RecentChange[];
}

/** How many changes are kept: some hours of a mesh that people work on, the last minutes of one that a pipeline does. */
const MOST = 1_000;
/** Writers whose object has not arrived yet. */
const MOST_USERS = 200;
const MAX_TEXT = 200;

/** Kinds beside those of the mesh whose changes break things. Pods and EndpointSlices come and go. */
const MORE: ReadonlySet<string> = new Set(["Service", "Ingress", "ConfigMap", "Namespace"]);

/** Keeps the last changes. `isNews`: whether the first lists are in. */
export function createRecentChanges(now: () => number, isNews: () => boolean): RecentChanges {
  const kept: RecentChange[] = [];
  const users = new Map<string, string>();
  const generations = new Map<string, number>();
  const note = ({ type, object }: WorldChange): void => {
    const { kind, metadata } = object;
    if (!decides(kind)) return;
    const key = keyOf(object);
    const { generation } = metadata;
    const after = type === "set" ? generation : undefined;
    const isSame = after !== undefined && generations.get(key) === after;
    if (after === undefined) generations.delete(key);
    else generations.set(key, after);
    // a status that was written is no change
    if (isSame || !isNews()) return;
    const user = users.get(key);
    users.delete(key);
    kept.push({
      kind,
      namespace: metadata.namespace ?? "",
      name: metadata.name,
      type,
      time: new Date(now()).toISOString(),
      ...(generation === undefined ? {} : { generation }),
      ...(user === undefined ? {} : { user }),
    });
    if (kept.length > MOST) kept.splice(0, kept.length - MOST);
  };
  return {
    note: (changes) => changes.forEach(note),
    reviewed(object, user) {
      if (user === "") return;
      const key = keyOf(object);
      users.delete(key);
      users.set(key, user.slice(0, MAX_TEXT));
      if (users.size > MOST_USERS) for (const oldest of [...users.keys()].slice(0, 1)) users.delete(oldest);
    },
    list: () => kept,
  };
}

function decides(kind: string): boolean {
  return kind in meshKinds || kind in gatewayApiKinds || MORE.has(kind);
}

function keyOf({ kind, metadata }: Pick<KubeObject, "kind" | "metadata">): string {
  return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}
