// `npm run demo [-- --keep]`: set-up, then the main job on the embedded cluster (scripts/demo/main.ts).
import { spawn } from "node:child_process";
import { main } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  await setup();
  const child = spawn("node_modules/.bin/tsx", ["scripts/demo/main.ts", ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // the demo cleans up itself when it is interrupted: wait for it instead of dying first
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
});
