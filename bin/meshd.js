#!/usr/bin/env node
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const entry = new URL("../dist/meshd.js", import.meta.url);
if (existsSync(fileURLToPath(entry))) {
  const { main } = await import(entry.href);
  process.exit(await main(process.argv.slice(2), process.env));
} else {
  process.stderr.write("meshd: this checkout is not built; run `npm run build` first\n");
  process.exitCode = 2;
}
