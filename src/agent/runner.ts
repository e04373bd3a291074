/** One part of the agent with a life: started in the order of the list in main.ts, closed in reverse. */
export interface Runner {
  readonly name: string;
  /** Resolves when the runner offers what it promises; rejects when it never will. */
  start(): Promise<void>;
  /** Idempotent; releases sockets, files, timers and processes. */
  close(): Promise<void>;
}
