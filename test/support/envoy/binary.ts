import { join } from "node:path";
import { locateEnvoy } from "../../../src/envoy/locate.ts";

/** The Envoy that tests run: found or fetched as the programs do it. */
export function testEnvoy(): Promise<string> {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(process.env["HOME"] ?? "", ".cache");
  return locateEnvoy({ env: process.env, cacheDir: join(cache, "meshctl") });
}
