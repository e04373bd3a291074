// `npm run demo [-- --keep]`: set-up, then the main job on the embedded cluster (scripts/demo/main.ts).
import { spawn } from "node:child_process";
import { main, root, withoutCaches } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  await setup();
  // one process, not tsx's two: killed at any time they leave nothing in the temporary folder
  const child = spawn(process.execPath, ["--import", "tsx", "scripts/demo/main.ts", ...process.argv.slice(2)], {
    cwd: root,
    env: withoutCaches,
    // by the channel it hears of our end, however that comes
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  // the demo cleans up itself when it is interrupted: wait for it instead of dying first
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
});
