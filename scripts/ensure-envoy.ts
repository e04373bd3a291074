// Finds or fetches the Envoy binary, as the programs do themselves; `npm run setup` and the tests call it ahead of time.
import { join } from "node:path";
import { MeshError } from "../src/base/errors.ts";
import { locateEnvoy } from "../src/envoy/locate.ts";

const cacheHome = process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"] ?? "", ".cache");
try {
  const path = await locateEnvoy({
    env: process.env,
    cacheDir: join(cacheHome, "meshctl"),
    onProgress: (text: string) => console.error(text),
  });
  console.error(`Envoy: ${path}`);
} catch (error) {
  if (!(error instanceof MeshError)) throw error;
  console.error(`error: ${error.message}${error.hint === undefined ? "" : `\nhint: ${error.hint}`}`);
  process.exitCode = 2;
}
