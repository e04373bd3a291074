#!/usr/bin/env node
import { existsSync } from "node:fs";

const bundle = new URL("../dist/agent.js", import.meta.url);
if (!existsSync(bundle)) {
  process.stderr.write("mesh-agent is not built\nRun npm run build in the repository first.\n");
  process.exit(2);
}
const { start } = await import(bundle.href);
await start(process.argv.slice(2));
