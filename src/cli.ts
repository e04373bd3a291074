import { MeshError, UsageError, errorText } from "./base/errors.ts";
import { type MainIo, exit, processIo } from "./cli-io.ts";
import type { CommandResult } from "./commands/io.ts";

/**
 * meshctl: one command line in, exit code out. 0 clean, 1 findings or a failed condition, 2 could not run (D14). Only root help
 * and the version are answered without the parser: they are what people and scripts wait for.
 */
export async function main(argv: readonly string[], io: MainIo): Promise<number> {
  if (argv.length === 0 || (argv.length === 1 && ["--help", "-h", "help"].includes(argv[0] ?? ""))) {
    // a file of its own: it grows with each command, and only these two calls read it
    const { ROOT_HELP } = await import("./gen/root-help.ts");
    (argv.length === 0 ? io.err : io.out)(ROOT_HELP);
    return argv.length === 0 ? 2 : 0;
  }
  try {
    return (await runCommand(argv, io)).exitCode;
  } catch (error) {
    report(error, io);
    return 2;
  }
}

/** The whole program: what bin/meshctl.js runs. */
export async function start(argv: readonly string[]): Promise<never> {
  return exit(await main(argv, processIo()));
}

async function runCommand(argv: readonly string[], mainIo: MainIo): Promise<CommandResult> {
  if (argv.length === 1 && argv[0] === "version") {
    const { run } = await import("./commands/version.ts");
    const { withCluster } = await import("./cli-mesh.ts");
    return run({ args: [], options: {} }, withCluster(mainIo, {}));
  }
  if (argv[0] === "__complete") {
    const { complete } = await import("./cli-complete.ts");
    const { withCluster } = await import("./cli-mesh.ts");
    await complete(argv.slice(1), { ...mainIo, cluster: (flags) => withCluster(mainIo, flags).cluster() });
    return { exitCode: 0 };
  }
  const { parse } = await import("./cli-parse.ts");
  const parsed = parse(argv);
  if (parsed.type === "help") {
    mainIo.out(parsed.text);
    return { exitCode: 0 };
  }
  const run = await parsed.spec.load();
  const { withMesh } = await import("./cli-mesh.ts");
  return run(parsed.input, await withMesh(mainIo, parsed.input.options));
}

/** What to do next, as a sentence on a line of its own. */
function hintLine(hint: string | undefined): string {
  if (hint === undefined || hint === "") return "";
  return `${hint.charAt(0).toUpperCase()}${hint.slice(1)}${/[.?:)`>\]]$/.test(hint) ? "" : "."}\n`;
}

/** Expected errors are words and what to do next; anything else is ours to fix, so the stack is shown. */
function report(error: unknown, io: MainIo): void {
  if (io.signal.aborted) {
    io.err("meshctl: interrupted\n");
  } else if (error instanceof UsageError) {
    io.err(`Error: ${error.message}\n${hintLine(error.hint)}`);
  } else if (error instanceof MeshError) {
    const cause = error.cause === undefined ? "" : errorText(error.cause);
    const words = cause === "" || error.message.includes(cause) ? error.message : `${error.message} (${cause})`;
    io.err(`Error: ${words}\n${hintLine(error.hint)}`);
  } else {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    io.err(`Error: ${stack}\nThis is a bug in meshctl: report it with the command line and the text above.\n`);
  }
}
