import { toYaml } from "../resources/yaml-plain.ts";
import type { Reporter } from "./context.ts";
import { messagesOf } from "./message.ts";

/** The objects of `json`, as YAML. */
export const yaml: Reporter = (findings, { summary }) => toYaml(messagesOf(findings, summary));
