import { spawn } from "node:child_process";
import type { GroupWatcher } from "./node/process.ts";

/**
 * Reads `+group` and `-group` lines; when its stdin closes because the node has ended, however that came, it ends the groups
 * that are left and removes the node's folder.
 */
const SCRIPT = `
groups=" "
while read -r line; do
  case $line in
    +*) groups="$groups\${line#+} " ;;
    -*) rest=" "; for g in $groups; do [ "$g" = "\${line#-}" ] || rest="$rest$g "; done; groups=$rest ;;
  esac
done
for g in $groups; do kill -KILL -- "-$g" 2>/dev/null; done
rm -rf -- "$1"
`;

/** Starts the process that cleans up after a node without a pid namespace. It lives as long as this process. */
export function startWatchdog(runDir: string): GroupWatcher {
  const child = spawn("sh", ["-c", SCRIPT, "sh", runDir], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    cwd: "/",
  });
  child.unref();
  child.stdin.on("error", () => undefined);
  const tell = (line: string): void => {
    child.stdin.write(`${line}\n`);
  };
  return {
    started: (group) => {
      tell(`+${group}`);
    },
    ended: (group) => {
      tell(`-${group}`);
    },
  };
}

/** For a node whose pid namespace ends everything with it. */
export const noWatchdog: GroupWatcher = { started: () => undefined, ended: () => undefined };
