import { parentPort, workerData } from "node:worker_threads";
import { type SharedRequest, validateFromBack } from "./commands/analysis/shared-validation.ts";

/** The thread that validates documents beside the main one. Started by src/cli-io.ts, from bytecode, through bin/meshctl.js. */
export function start(): void {
  parentPort?.postMessage(validateFromBack(workerData as SharedRequest));
}

export { validateFromBack };
