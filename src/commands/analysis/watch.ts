import { watch } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errorText, MeshError } from "../../base/errors.ts";
import type { CommandResult, Io } from "../io.ts";
import type { AnalyzeOptions } from "./options.ts";

/** A pause in changes after which the files are analyzed again: editors write a file in several steps. */
const QUIET_MS = 100;

const CLEAR = "\u001B[2J\u001B[3J\u001B[H";

/** Analyzes now and whenever a file changes, until SIGINT; the exit code is that of the last analysis. */
export async function watchAndAnalyze(
  options: AnalyzeOptions,
  io: Io,
  analyze: (options: AnalyzeOptions, io: Io) => Promise<CommandResult>,
): Promise<CommandResult> {
  const changes = await watchFiles(options, io);
  let last: CommandResult = { exitCode: 0 };
  try {
    for (;;) {
      last = await once(options, io, analyze);
      io.err("Watching for changes; Ctrl-C ends.\n");
      if (!(await changes.next())) return last;
      if (io.isTTY) io.out(CLEAR);
      else io.err("--- changed\n");
    }
  } finally {
    changes.close();
  }
}

async function once(
  options: AnalyzeOptions,
  io: Io,
  analyze: (options: AnalyzeOptions, io: Io) => Promise<CommandResult>,
): Promise<CommandResult> {
  try {
    return await analyze(options, io);
  } catch (error) {
    if (io.signal.aborted || !(error instanceof MeshError)) throw error;
    // a file may be gone for a moment
    io.err(`Error: ${errorText(error)}\n`);
    return { exitCode: 2 };
  }
}

interface Changes {
  /** Waits for changes since the last call, and for a pause in them; false: it is to end. */
  next(): Promise<boolean>;
  close(): void;
}

async function watchFiles({ sources, project, meshConfigFile }: AnalyzeOptions, io: Io): Promise<Changes> {
  let changed = false;
  let wake = (): void => undefined;
  const onChange = (): void => {
    changed = true;
    wake();
  };
  io.signal.addEventListener("abort", () => wake(), { once: true });
  const names = [...sources, ...(project === undefined ? [] : [project.file])];
  const paths = [...names, ...(meshConfigFile === undefined ? [] : [meshConfigFile])].map((name) =>
    resolve(io.cwd, name),
  );
  const watchers = await Promise.all(paths.map((path) => watchPath(path, onChange)));
  const quiet = (): Promise<void> =>
    new Promise((done) => {
      let timer = setTimeout(done, QUIET_MS);
      wake = () => {
        clearTimeout(timer);
        timer = setTimeout(done, io.signal.aborted ? 0 : QUIET_MS);
      };
    });
  return {
    async next() {
      while (!changed && !io.signal.aborted)
        await new Promise<void>((done) => {
          wake = done;
        });
      if (!io.signal.aborted) await quiet();
      changed = false;
      return !io.signal.aborted;
    },
    close: () => {
      for (const watcher of watchers) watcher.close();
    },
  };
}

async function watchPath(path: string, onChange: () => void): Promise<{ close(): void }> {
  const isFolder = (await stat(path)).isDirectory();
  // of a file its folder is watched: editors put a new file in place of the old one
  const folder = isFolder ? path : dirname(path);
  const watcher = watch(folder, { recursive: isFolder }, (_event, name) => {
    if (isFolder || name === null || resolve(folder, name) === path) onChange();
  });
  watcher.on("error", onChange);
  return watcher;
}
