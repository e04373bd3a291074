/**
 * A part of the control plane with a life of its own. `start` resolves when the part does its work (or has begun to try);
 * `close` ends it and resolves when nothing of it is left.
 */
export interface Runner {
  readonly name: string;
  start(): Promise<void>;
  close(): Promise<void>;
}
