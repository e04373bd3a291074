// `npm run bench [name...]`: every bench/NAME.bench.ts, or those named; each prints its own table. Benchmarks are no tests.
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { main, root, run, say } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

await main(async () => {
  await setup();
  const wanted = process.argv.slice(2);
  const names = (await readdir(join(root, "bench")))
    .filter((name) => name.endsWith(".bench.ts"))
    .map((name) => basename(name, ".bench.ts"));
  for (const name of names.sort()) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    say(name);
    await run("node_modules/.bin/tsx", [join("bench", `${name}.bench.ts`)]);
  }
});
