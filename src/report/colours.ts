import { Chalk } from "chalk";

/** Ways to colour words; without a terminal (or with NO_COLOR) they stay as they are. */
export interface Colours {
  readonly redBright: (words: string) => string;
  readonly yellow: (words: string) => string;
  readonly green: (words: string) => string;
  readonly dim: (words: string) => string;
  readonly bold: (words: string) => string;
  readonly plain: (words: string) => string;
}

/** Colours only on a terminal that is not dumb, and not against NO_COLOR (https://no-color.org). */
export function createColours(options: {
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Colours {
  const { terminal, env } = options;
  const wanted = terminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  const chalk = new Chalk({ level: wanted ? 1 : 0 });
  return {
    redBright: (words) => chalk.bold.red(words),
    yellow: (words) => chalk.yellow(words),
    green: (words) => chalk.green(words),
    dim: (words) => chalk.dim(words),
    bold: (words) => chalk.bold(words),
    plain: (words) => words,
  };
}
