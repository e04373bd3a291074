import type { Reporter } from "./context.ts";
import { messagesOf } from "./message.ts";

/**
 * istioctl's list of message objects (code, documentationUrl, level, message, origin, reference) with our fields added; a check that
 * did not run is a message of level Info and code `skipped`.
 */
export const json: Reporter = (findings, { summary }) =>
  `${JSON.stringify(messagesOf(findings, summary), null, "\t")}\n`;
