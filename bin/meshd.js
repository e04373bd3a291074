#!/usr/bin/env node
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

// two programs of one image: the control plane, and the rate limit service, which loads nothing of it
const [command, ...rest] = process.argv.slice(2);
const isRateLimit = command === "ratelimit";
const entry = new URL(isRateLimit ? "../dist/ratelimit.js" : "../dist/meshd.js", import.meta.url);
if (existsSync(fileURLToPath(entry))) {
  const { main } = await import(entry.href);
  process.exit(await main(isRateLimit ? rest : process.argv.slice(2), process.env));
} else {
  process.stderr.write("meshd: this checkout is not built; run `npm run build` first\n");
  process.exitCode = 2;
}
