/** What stands in place of a secret that was taken out of a bug report. */
export const REDACTED = "[redacted]";

/** Code of the error about what nobody asked when a bug report was made. */
export const NOT_IN_BUNDLE = "not-in-bundle";
