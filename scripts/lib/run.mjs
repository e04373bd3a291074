import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The repository's root: scripts run from anywhere. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The environment for programs run by tsx: it would leave a cache in the temporary folder that saves no time. */
export const withoutCaches = { ...process.env, TSX_DISABLE_CACHE: "1" };

const started = Date.now();

/** One line of progress, with the seconds since the script began. */
export function say(text) {
  console.error(`[${((Date.now() - started) / 1000).toFixed(1).padStart(6)}s] ${text}`);
}

/** A failure that is explained already: printed without a stack, exit code 2. */
export class Stop extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

/** Sessions of commands that run behind everything else; they end with this script. */
const behind = new Set();
let isWatched = false;

function endBehind() {
  for (const pid of behind) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // it has just ended
    }
  }
}

/**
 * Starts a command that takes only what processors have left over: its own priority is the lowest, and so is that of its session, for
 * Linux shares processors out among sessions before it does among their processes.
 */
function spawnBehind(command, args, options) {
  if (!isWatched) {
    isWatched = true;
    process.once("exit", endBehind);
    for (const signal of ["SIGINT", "SIGTERM"])
      process.once(signal, () => {
        endBehind();
        process.kill(process.pid, signal);
      });
  }
  const child = spawn("nice", ["-n", "19", command, ...args], { ...options, detached: true });
  if (child.pid === undefined) return child;
  behind.add(child.pid);
  child.once("close", () => behind.delete(child.pid));
  writeFile(`/proc/${child.pid}/autogroup`, "19").catch(() => {
    // a kernel without groups of sessions
  });
  return child;
}

/**
 * Runs a command at the repository's root; resolves to { code, output }. With `quiet` the output is kept and shown only on
 * failure. A failing command throws Stop unless `allowFailure`. With `behind` it has the lowest priority.
 */
export function run(
  command,
  args,
  { quiet = false, allowFailure = false, behind: isBehind = false, env = {}, hint } = {},
) {
  return new Promise((resolve, reject) => {
    const child = (isBehind ? spawnBehind : spawn)(command, args, {
      cwd: root,
      env: { ...withoutCaches, ...env },
      stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    });
    let output = "";
    child.stdout?.on("data", (chunk) => (output += chunk));
    child.stderr?.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => reject(new Stop(`cannot run ${command}: ${error.message}`, hint)));
    child.on("close", (code, signal) => {
      if (code === 0 || allowFailure) return resolve({ code: code ?? 128, output });
      if (quiet) process.stderr.write(output);
      reject(new Stop(`${command} ${args.join(" ")} ended with ${signal ?? `exit code ${code}`}`, hint));
    });
  });
}

/** Runs a script's main and maps a Stop to words and exit code 2. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.error(`error: ${error.message}`);
    if (error.hint !== undefined) console.error(`hint: ${error.hint}`);
    process.exitCode = 2;
  }
}
