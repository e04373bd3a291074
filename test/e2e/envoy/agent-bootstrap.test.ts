import { homedir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildBootstrap } from "../../../src/agent/bootstrap.ts";
import { readConfig } from "../../../src/agent/config.ts";
import { locateEnvoy } from "../../../src/envoy/locate.ts";
import { validateConfig } from "../../../src/envoy/validate.ts";
import { BOOTSTRAP_CASES } from "../../support/agent/bootstrap-cases.ts";

const cacheDir = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "meshctl");

test.each(Object.entries(BOOTSTRAP_CASES))("Envoy accepts the bootstrap of %s", async (_name, input) => {
  const envoy = await locateEnvoy({ env: process.env, cacheDir });
  const config = readConfig(input);
  const bootstrap = buildBootstrap(config, input.discovery ?? config.discovery);
  expect(await validateConfig(envoy, bootstrap)).toBeUndefined();
  expect(await validateConfig(envoy, { ...bootstrap, node: { id: 7 } })).toContain("node");
});
