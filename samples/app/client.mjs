// Sends requests and prints one JSON line: how often each status and version came back.
//   node client.mjs --url http://web/ --requests 1000 --concurrency 16 [--header "x-user: jason"] [--method POST]
//   node client.mjs --url http://web/ --seconds 10 --rate 50
//   node client.mjs --tcp ledger:9000 --line PING --requests 10
// Exit code 0 when every request was answered, 1 when one was not, 2 for wrong flags.
import { readFlags } from "./lib.mjs";
import { tally } from "./tally.mjs";

const KNOWN = [
  "url",
  "tcp",
  "line",
  "requests",
  "concurrency",
  "seconds",
  "rate",
  "header",
  "method",
  "timeout",
  "new-connections",
];

async function main() {
  const flags = readFlags(process.argv.slice(2));
  const unknown = Object.keys(flags).filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0)
    throw new Error(`unknown flag --${unknown[0]}; known: ${KNOWN.map((name) => `--${name}`).join(" ")}`);
  if ((flags.url === undefined) === (flags.tcp === undefined)) throw new Error("give --url or --tcp");
  const at = (flags.header ?? "").indexOf(":");
  const result = await tally({
    url: flags.url,
    tcp: flags.tcp,
    line: flags.line,
    method: flags.method,
    headers: at > 0 ? { [flags.header.slice(0, at).trim()]: flags.header.slice(at + 1).trim() } : {},
    requests: Number(flags.requests ?? 1),
    concurrency: Number(flags.concurrency ?? 1),
    timeout: Number(flags.timeout ?? 10_000),
    seconds: flags.seconds === undefined ? undefined : Number(flags.seconds),
    rate: flags.rate === undefined ? undefined : Number(flags.rate),
    keep: flags["new-connections"] !== "true",
  });
  console.log(JSON.stringify(result));
  process.exit(Object.keys(result.error).length === 0 ? 0 : 1);
}

main().catch((error) => {
  console.error(error.message);
  process.exit(2);
});
