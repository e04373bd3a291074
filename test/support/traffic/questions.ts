import type { ChildProcess } from "node:child_process";

/** Asks a forked program; each question is answered by its number. */
export function questions<T>(child: ChildProcess): (op: string, claims?: unknown) => Promise<T> {
  const waiting = new Map<number, (answer: T) => void>();
  let last = 0;
  child.on("message", ({ id, answer }: { readonly id: number; readonly answer: T }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  return (op, claims) =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      child.send({ id: last, op, claims });
    });
}
