import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { root } from "../../../scripts/scenario/context.ts";

/** Debian's Chromium without a window, fetched into the cache the first time (setup-browser.sh). Throws when it cannot be had. */
export async function openBrowser(): Promise<Browser> {
  const script = join(root, "test/support/browser/setup-browser.sh");
  const { stdout } = await promisify(execFile)("bash", [script], { timeout: 600_000 });
  const executablePath = stdout.trim().split("\n").at(-1) ?? "";
  // its own sandbox wants namespaces that a container may refuse; it opens nothing but our page
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}
