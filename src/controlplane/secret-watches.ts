import type { Derivations } from "../base/derive.ts";
import { delay } from "../base/delay.ts";
import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { ClusterReader, WatchEvent } from "../resources/cluster.ts";
import type { KubeObject } from "../resources/object.ts";
import type { WorldChange } from "../resources/world.ts";
import type { Runner } from "./runner.ts";

export interface SecretWatchesDeps {
  readonly cluster: Pick<ClusterReader, "watch">;
  readonly derivations: Derivations;
  /** Puts Secrets into the World and takes them out. */
  readonly apply: (changes: readonly WorldChange[]) => void;
  readonly log: Logger;
}

/** Secrets that connected gateways use, and no others: of these alone is there a copy in memory. */
export interface SecretWatches extends Runner {
  /** One user's wishes. */
  open(): SecretUser;
}

export interface SecretUser {
  /**
   * Asks for these Secrets of a namespace (`other/name`: of another one, `ConfigMap/other/name`: no Secret), in place of those
   * asked for before. Tracked: true once it is known of each
   * whether it exists, so that nobody takes "not read yet" for "not there".
   */
  want(namespace: string, names: readonly string[]): boolean;
  close(): void;
}

interface Watch {
  users: number;
  isKnown: boolean;
  readonly abort: AbortController;
}

const RETRY_MS = 1_000;
const SECRET = { apiVersion: "v1", kind: "Secret" } as const;

/** Consumes what gateways want; offers those Secrets in the World. One watch of one name each, ended with its last user. */
export function createSecretWatches(deps: SecretWatchesDeps): SecretWatches {
  const watches = new Map<string, Watch>();
  const known = deps.derivations.external("secret known", (key: string) => watches.get(key)?.isKnown === true);
  const running = new Set<Promise<void>>();

  const learned = (key: string, watch: Watch): void => {
    if (watch.isKnown || watch.abort.signal.aborted) return;
    watch.isKnown = true;
    known.changed(key);
  };
  const run = async (key: string, watch: Watch): Promise<void> => {
    const slot = createSlot(deps.apply);
    await watchSecret(deps, key, { signal: watch.abort.signal, set: slot.set, known: () => learned(key, watch) });
    // Somebody else may have asked for it anew.
    if (!watches.has(key)) slot.set(undefined);
  };
  const begin = (key: string): void => {
    const watch = watches.get(key);
    if (watch !== undefined) {
      watch.users += 1;
      return;
    }
    const fresh: Watch = { users: 1, isKnown: false, abort: new AbortController() };
    watches.set(key, fresh);
    const ended = run(key, fresh).finally(() => running.delete(ended));
    running.add(ended);
  };
  const finish = (key: string): void => {
    const watch = watches.get(key);
    if (watch === undefined) return;
    watch.users -= 1;
    if (watch.users > 0) return;
    watches.delete(key);
    watch.abort.abort();
  };
  return {
    name: "secret-watches",
    start: () => Promise.resolve(),
    async close() {
      for (const key of watches.keys()) watches.get(key)?.abort.abort();
      watches.clear();
      await Promise.all(running);
    },
    open: () => createUser({ begin, finish, known }),
  };
}

function createUser(on: {
  readonly begin: (key: string) => void;
  readonly finish: (key: string) => void;
  /** Tracked. */
  readonly known: (key: string) => boolean;
}): SecretUser {
  let held: readonly string[] = [];
  const hold = (keys: readonly string[]): void => {
    for (const key of keys) on.begin(key);
    for (const key of held) on.finish(key);
    held = keys;
  };
  return {
    want(namespace, names) {
      hold([...new Set(names)].map((name) => (name.includes("/") ? name : `${namespace}/${name}`)));
      // All are asked, so that each is followed.
      return held.filter((key) => !on.known(key)).length === 0;
    },
    close: () => hold([]),
  };
}

/** One object's place in the World. */
function createSlot(apply: SecretWatchesDeps["apply"]): { readonly set: (object: KubeObject | undefined) => void } {
  let last: KubeObject | undefined;
  return {
    set(object) {
      if (object !== undefined) apply([{ type: "set", object }]);
      else if (last !== undefined) apply([{ type: "delete", object: last }]);
      last = object;
    },
  };
}

/** Follows one Secret, `namespace/name`, or ConfigMap until the signal aborts. */
async function watchSecret(
  deps: Pick<SecretWatchesDeps, "cluster" | "log">,
  key: string,
  on: {
    readonly signal: AbortSignal;
    readonly set: (object: KubeObject | undefined) => void;
    readonly known: () => void;
  },
): Promise<void> {
  const [name = "", namespace = "", kind = SECRET.kind] = key.split("/").toReversed();
  const only = { namespace, fieldSelector: `metadata.name=${name}` };
  const onEvent = (event: WatchEvent): void => {
    if (on.signal.aborted) return;
    if (event.type === "SYNCED") on.known();
    else on.set(event.type === "DELETED" ? undefined : event.object);
  };
  // Wishes come in the middle of effects, which must not change the World.
  await Promise.resolve();
  while (!on.signal.aborted) {
    try {
      await deps.cluster.watch({ ...SECRET, kind }, only, onEvent, on.signal);
    } catch (error) {
      deps.log.warn({ secret: key, error: errorText(error) }, "cannot read a gateway's Secret; trying again");
      // A gateway is not held up by a Secret that we may not read.
      on.known();
      await delay(RETRY_MS, on.signal);
    }
  }
}
