import { errorText } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { createLayers, type Layers } from "../registry/layers.ts";
import type { Registry } from "../registry/registry.ts";
import { refOf, refText } from "../resources/object.ts";
import type { World, WorldChange } from "../resources/world.ts";
import type { Runner } from "./runner.ts";

export interface RegistriesDeps {
  readonly registries: readonly Registry[];
  readonly world: World;
  readonly apply: (changes: readonly WorldChange[]) => void;
  /** A registry has given its objects for the first time. */
  readonly onSynced?: (registry: string) => void;
  readonly log: Logger;
}

/** Registries beside the cluster, and what its changes become where registries have objects of the same name. */
export interface Registries extends Runner {
  readonly ofCluster: Layers["ofCluster"];
}

/** How long the start waits for a registry that does not answer. */
const FIRST_MS = 10_000;

/**
 * Consumes registries; offers their objects to the World. Starts after the cluster's first lists; the start waits for every
 * registry's first objects, but not for ever: one that is away must not keep the mesh from starting.
 */
export function createRegistries({ registries, world, apply, onSynced, log }: RegistriesDeps): Registries {
  const layers = createLayers(
    registries.length,
    (kind, namespace, name) => world.get(kind, namespace, name) !== undefined,
  );
  const abort = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  const begin = (registry: Registry, index: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        log.warn({ registry: registry.name }, "a registry has not answered yet; starting without it");
        resolve();
      }, FIRST_MS);
      const done = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const ended = registry
        .run((objects) => {
          const { changes, hidden } = layers.ofRegistry(index, objects);
          if (changes.length > 0) apply(changes);
          onSynced?.(registry.name);
          log.info({ registry: registry.name, objects: objects.length, changes: changes.length }, "registry");
          for (const object of hidden)
            log.warn(
              { registry: registry.name, object: refText(refOf(object)) },
              "passed over: another source has it too",
            );
          done();
        }, abort.signal)
        .catch((error: unknown) => log.error({ registry: registry.name, error: errorText(error) }, "a registry ended"))
        .finally(done);
      running = Promise.all([running, ended]);
    });
  return {
    name: "registries",
    ofCluster: (changes) => layers.ofCluster(changes),
    start: async () => {
      await Promise.all(registries.map(begin));
    },
    async close() {
      abort.abort();
      await running;
    },
  };
}
