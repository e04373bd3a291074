/** A long step that a person watches. Only one runs at a time. */
export interface Progress {
  /** Starts a step; an open one is taken as finished. */
  start(text: string): void;
  /** Says what the open step is waiting for. Said once per change when there is no terminal. */
  update(text: string): void;
  succeed(text: string): void;
  fail(text: string): void;
}

/** Progress for a terminal (a spinner) or for a log (a line per change). `err` takes the lines. */
export async function createProgress(io: {
  readonly isTTY: boolean;
  readonly err: (text: string) => void;
}): Promise<Progress> {
  // a terminal that says it is 0 columns wide (CI, script) would have ora clear lines for ever
  return io.isTTY && process.stderr.isTTY === true && process.stderr.columns > 0 ? spinner() : lines(io.err);
}

async function spinner(): Promise<Progress> {
  const { default: ora } = await import("ora");
  const open = ora({ stream: process.stderr, discardStdin: false });
  return {
    start: (text) => void open.start(text),
    update: (text) => void (open.text = text),
    succeed: (text) => void open.succeed(text),
    fail: (text) => void open.fail(text),
  };
}

function lines(err: (text: string) => void): Progress {
  let last = "";
  const say = (mark: string, text: string): void => {
    if (text !== last) err(`${mark} ${text}\n`);
    last = text;
  };
  return {
    start: (text) => say("-", text),
    update: (text) => say("-", text),
    succeed: (text) => say("✔", text),
    fail: (text) => say("✘", text),
  };
}
