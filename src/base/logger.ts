/** The few log methods that units take; a main hands in pino, tests a recorder. Fields first, words second. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A logger that says nothing, for tests and for offline commands. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
