import type { Cluster } from "../resources/cluster.ts";

/** Everything a command may touch of the outside world, handed in: tests pass buffers, cli.ts the process. */
export interface Io {
  /** Data. One call may hold many lines; the caller adds line ends. */
  readonly out: (text: string) => void;
  /** Progress, warnings and errors. */
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** stdout is a terminal: colour and source excerpts are for it alone. */
  readonly isTTY: boolean;
  readonly columns: number;
  readonly now: () => Date;
  readonly readStdin: () => Promise<string>;
  /** One line from the user after `question`; absent when nobody can answer (stdin is not a terminal). */
  readonly ask?: (question: string) => Promise<string>;
  /** Opens a client only when called; flags --kubeconfig and --context are already in, `context` comes before the latter. Throws ClusterError. */
  readonly cluster: (context?: string) => Promise<Cluster>;
  /** Names by which `cluster` opens the further clusters that a bundle has; absent: there are none. */
  readonly moreClusters?: readonly string[];
  /** Aborted by SIGINT and SIGTERM: a command cleans up and returns. */
  readonly signal: AbortSignal;
}

/** What cli.ts needs of any command's result: 0 clean, 1 findings or a failed condition, 2 could not run (D14). */
export interface CommandResult {
  readonly exitCode: 0 | 1 | 2;
}

/** What the parser hands a command: option values by their camelCase name, and positional arguments. */
export interface CommandInput {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, OptionValue | undefined>>;
}

/** The value of a flag: text, switch, number, or the list of a repeatable one. */
export type OptionValue = string | boolean | number | readonly string[];

/** The code behind a command: reads its own options out of the input, returns the exit code. */
export type CommandRun = (input: CommandInput, io: Io) => Promise<CommandResult>;
