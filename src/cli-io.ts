import { addAbortSignal } from "node:stream";
import type { Io } from "./commands/io.ts";

/** What main needs of the process; tests hand in buffers. The cluster follows once the flags are read. */
export type MainIo = Omit<Io, "cluster">;

/**
 * The process as an Io. SIGINT and SIGTERM abort `signal` so that the command cleans up; a second SIGINT ends at once. A closed
 * pipe (`meshctl … | head`) is no error: nobody reads on, so the program ends without a word.
 */
export function processIo(): MainIo {
  const abort = new AbortController();
  const stop = (): void => {
    if (abort.signal.aborted) process.exit(2);
    abort.abort(new Error("interrupted"));
    // the terminal has written ^C behind whatever stood there
    if (process.stderr.isTTY === true) process.stderr.write("\n");
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    isTTY: process.stdout.isTTY === true,
    // a window may be made larger or smaller while something is drawn in it again and again
    get columns() {
      return process.stdout.columns ?? 80;
    },
    now: () => new Date(),
    readStdin: () => readStdin(abort.signal),
    ...(process.stdin.isTTY === true ? { ask: (question: string) => ask(question, abort.signal) } : {}),
    signal: abort.signal,
  };
}

/** Ends the process with `code` once stdout and stderr have taken everything written so far. */
export async function exit(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write("", done))));
  process.exit(code);
}

async function readStdin(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of addAbortSignal(signal, process.stdin)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal });
  } finally {
    lines.close();
  }
}
