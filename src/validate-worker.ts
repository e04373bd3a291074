import { parentPort } from "node:worker_threads";
import { type ValidateTask, validateBlock } from "./commands/validate-block.ts";

/** A thread of `meshctl validate`: takes blocks of text, answers with findings. Started by src/commands/validate-pool.ts. */
parentPort?.on("message", (task: ValidateTask) => parentPort?.postMessage(validateBlock(task)));
