import { MeshError } from "../base/errors.ts";

/** Work of many clients, of which none waits for all that another one wants. */
export interface FairQueue {
  /** Runs the work when it is this client's turn. Rejects with MeshError `busy` when too much of it waits already. */
  run<T>(client: string, work: () => Promise<T>): Promise<T>;
}

export interface FairQueueOptions {
  /** Work at a time. */
  readonly concurrency: number;
  /** Of one client, waiting. */
  readonly perClient: number;
  /** Of all clients, waiting. */
  readonly total: number;
}

/** Clients take turns, one piece of work each: one that brings ten thousand delays the others by its share alone. */
export function createFairQueue({ concurrency, perClient, total }: FairQueueOptions): FairQueue {
  const waiting = new Map<string, (() => void)[]>();
  let running = 0;
  let count = 0;
  const next = (): void => {
    running -= 1;
    const [first] = waiting;
    if (first === undefined) return;
    const [client, starts] = first;
    // to the end of the line, if it has more
    waiting.delete(client);
    const start = starts.shift();
    if (starts.length > 0) waiting.set(client, starts);
    count -= 1;
    running += 1;
    start?.();
  };
  const turn = (client: string): Promise<void> | undefined => {
    if (running < concurrency) {
      running += 1;
      return undefined;
    }
    const starts = waiting.get(client) ?? [];
    if (starts.length >= perClient || count >= total)
      throw new MeshError("busy", "too many requests of this client wait already", { hint: "ask again later" });
    count += 1;
    return new Promise((resolve) => {
      starts.push(resolve);
      waiting.set(client, starts);
    });
  };
  return {
    async run(client, work) {
      await turn(client);
      try {
        return await work();
      } finally {
        next();
      }
    },
  };
}
