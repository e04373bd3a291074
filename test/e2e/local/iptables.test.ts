import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Why the capture rules cannot be tried here; undefined when they can. */
function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const tools = ["ip", "iptables-restore", "unshare", "nsenter", "setpriv", "ss"];
  const absent = tools.filter(
    (tool) => !(process.env["PATH"] ?? "").split(delimiter).some((dir) => isProgram(join(dir, tool))),
  );
  return absent.length === 0 ? undefined : `${absent.join(", ")} missing`;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const reason = missing();
const skip = reason !== undefined && process.env["CI"] !== "true";

test.skipIf(skip)(
  `in a network namespace, traffic lands where the rules send it${skip ? ` (${reason})` : ""}`,
  async () => {
    expect(reason).toBeUndefined();
    const loader = pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href;
    const source = pathToFileURL(join(root, "src/agent.ts")).href;
    const code = `import(${JSON.stringify(source)}).then((m) => m.start(process.argv.slice(1)))`;
    const agent = [process.execPath, "--import", loader, "-e", code, "--"];
    const script = join(root, "test/support/agent/netns.mjs");
    const { stdout } = await promisify(execFile)(
      "unshare",
      ["-n", "-p", "-f", "--kill-child", "--mount-proc", process.execPath, script, ...agent],
      {
        timeout: 60_000,
      },
    );
    expect(JSON.parse(stdout)).toEqual({
      same: true,
      left: [],
      landed: {
        "app to a service": "outbound",
        "app to a peer": "outbound",
        "app to its own address": "app",
        "app to loopback": "app",
        "proxy to a peer": "peer",
        "proxy to its own address": "inbound",
        "proxy to the app as inbound": "app",
        "peer to the app": "inbound",
        "peer to the readiness port": "readiness",
      },
    });
  },
);
