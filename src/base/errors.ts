/** Errors a user can act on. Problems in user input are findings (diagnostics/), not exceptions. */
export class MeshError extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  /** `message` says what is wrong, with the value; `hint` says what to do, starting with a verb. */
  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
  }
}

/** Wrong flags or arguments: exit code 2, the usage line is printed. */
export class UsageError extends MeshError {
  constructor(message: string, hint?: string) {
    super("usage", message, hint === undefined ? {} : { hint });
  }
}

/** The cluster cannot be reached, refuses us, or answers what we cannot use: exit code 2. */
export class ClusterError extends MeshError {}

/** Something on this machine is missing or in the way (no Envoy, port in use, no pip): exit code 2. */
export class EnvironmentError extends MeshError {}

/** The words of any thrown value, for messages. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
