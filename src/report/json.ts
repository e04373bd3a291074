import type { Reporter } from "./context.ts";
import { messageObject } from "./message.ts";

/** istioctl's list of message objects (code, documentationUrl, level, message, origin, reference) with our fields added. */
export const json: Reporter = (findings) => `${JSON.stringify(findings.map(messageObject), null, "\t")}\n`;
