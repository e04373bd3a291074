// Bundles the control plane's page (src/page/) and writes it as strings to src/gen/page/assets.ts, from where meshd serves it.
// Like src/gen/envoy it is made before types are checked and before each build, and not committed.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "src/page");

const { outputFiles } = await build({
  entryPoints: [join(page, "main.ts")],
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  logLevel: "warning",
  write: false,
});
const script = outputFiles[0]?.text ?? "";
const assets = {
  "index.html": { type: "text/html; charset=utf-8", body: readFileSync(join(page, "index.html"), "utf8") },
  "page.css": { type: "text/css; charset=utf-8", body: readFileSync(join(page, "page.css"), "utf8") },
  "page.js": { type: "text/javascript; charset=utf-8", body: script },
};
const text = `// Made by scripts/gen-page.ts from src/page/.
/** Files of the control plane's page, by name. */
export const assets: Readonly<Record<string, { readonly type: string; readonly body: string }>> = ${JSON.stringify(assets)};
`;
const folder = join(root, "src/gen/page");
const file = join(folder, "assets.ts");
mkdirSync(folder, { recursive: true });
// an equal file keeps its time: nothing is built anew for it
if (readOrNothing(file) !== text) writeFileSync(file, text);
process.stdout.write(`src/gen/page: ${Math.round(script.length / 1024)} kB of script\n`);

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
