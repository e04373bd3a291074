import { toYaml } from "../resources/yaml-plain.ts";
import type { Reporter } from "./context.ts";
import { messageObject } from "./message.ts";

/** The objects of `json`, as YAML. */
export const yaml: Reporter = (findings) => toYaml(findings.map((found) => messageObject(found)));
