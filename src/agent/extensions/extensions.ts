import { createHash } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { errorText } from "../../base/errors.ts";
import type { DiscoveryService } from "../../grpc/discovery-service.ts";
import type { TypedAny } from "../../wire/codec.ts";
import { type FollowDeps, followResources } from "../delta-follow.ts";
import type { ModuleCache } from "./module-cache.ts";
import { EXTENSION_TYPE, type ModuleConfig, readModuleConfig, standIn } from "./module-config.ts";

/** What was done for an extension, for metrics. */
export type ModuleOutcome = "served" | "failed";

export interface ExtensionsDeps extends Pick<FollowDeps, "config" | "certificate" | "log"> {
  readonly cache: ModuleCache;
  /** Offers settings to the Envoy beside us. */
  readonly service: Pick<DiscoveryService, "publish" | "retract">;
  readonly onOutcome: (outcome: ModuleOutcome) => void;
}

/** Milliseconds between tries to fetch a module. */
const RETRY = { first: 1_000, most: 60_000 } as const;

/**
 * Follows the extensions of this proxy at meshd, fetches their modules and offers the settings with the module as a file. While a
 * module cannot be had all its traffic passes or none, as the extension says, and it is tried again. Returns how to end it.
 */
export function serveExtensions(deps: ExtensionsDeps): () => void {
  const tasks = new Map<string, AbortController>();
  const drop = (name: string): void => {
    tasks.get(name)?.abort();
    tasks.delete(name);
  };
  const clean = (): void => {
    deps.cache.keep([...tasks.keys()], Date.now()).catch((error: unknown) => {
      deps.log.warn({}, `modules that are not used any more could not be removed: ${errorText(error)}`);
    });
  };
  const end = followResources({
    config: deps.config,
    certificate: deps.certificate,
    log: deps.log,
    typeUrl: EXTENSION_TYPE,
    what: "extensions",
    onResource(name, resource) {
      drop(name);
      const module = readModuleConfig(resource);
      if (module === undefined) return;
      const task = new AbortController();
      tasks.set(name, task);
      void serveModule(deps, module, task.signal).then(clean);
    },
    onRemoved(name) {
      drop(name);
      deps.service.retract(name);
      clean();
    },
  });
  return () => {
    end();
    for (const task of tasks.values()) task.abort();
  };
}

/** Until the module is served or the signal aborts. */
async function serveModule(deps: ExtensionsDeps, module: ModuleConfig, signal: AbortSignal): Promise<void> {
  const { name, wish } = module;
  const publish = (resource: TypedAny): void => {
    const version = createHash("sha256").update(JSON.stringify(resource)).digest("hex").slice(0, 16);
    if (!signal.aborted) deps.service.publish(name, { version, resource });
  };
  for (let pause: number = RETRY.first; !signal.aborted; pause = Math.min(RETRY.most, pause * 2)) {
    try {
      publish(module.inFile(await deps.cache.file(name, wish, signal)));
      deps.onOutcome("served");
      return;
    } catch (error) {
      if (signal.aborted) return;
      deps.onOutcome("failed");
      const traffic = module.passes ? "passes" : "is refused";
      deps.log.warn({ extension: name, traffic }, `a module cannot be had: ${errorText(error)}`);
      publish(standIn(module));
      await wait(pause * (0.5 + Math.random() / 2), undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
