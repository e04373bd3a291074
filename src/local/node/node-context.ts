import type { Logger } from "../../base/logger.ts";
import type { Cache } from "../controllers/cache.ts";
import type { EventRecorder } from "../events.ts";
import type { Pod, PodStatus } from "../shapes.ts";
import type { ImageMap, Programs } from "./images.ts";
import type { NodeNetwork } from "./network/types.ts";
import type { GroupWatcher } from "./process.ts";

/** What every pod of the node shares. */
export interface NodeContext {
  readonly cache: Cache;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly now: () => Date;
  readonly network: NodeNetwork;
  readonly programs: Programs;
  readonly images: ImageMap;
  /** Folder for pods' files. */
  readonly directory: string;
  readonly watcher: GroupWatcher;
  readonly apiAddress: { readonly host: string; readonly port: number };
  readonly issueToken: (pod: Pod, audience: string | undefined, expirationSeconds: number) => Promise<string>;
  readonly writeStatus: (pod: Pod, status: PodStatus) => Promise<void>;
}
