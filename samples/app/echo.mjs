// Answers every request with one text, by the flags of hashicorp/http-echo:
//   node echo.mjs -text="hello" [-listen=:5678] [-status-code=200]
// ECHO_TEXT stands in for -text. An address in BIND_ADDRESS is used where -listen names none.
import { createServer } from "node:http";
import { bindAddress, readFlags, self, serve } from "./lib.mjs";

export function runEcho(argv) {
  const flags = readFlags(argv);
  const text = flags.text ?? process.env.ECHO_TEXT;
  if (text === undefined || text === "") {
    console.error("Missing -text option or ECHO_TEXT env var!");
    process.exit(127);
  }
  const [, host = "", port = ""] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(flags.listen ?? ":5678") ?? [];
  if (port === "") {
    console.error(`-listen: expected [host]:port, got ${flags.listen}`);
    process.exit(2);
  }
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader("x-app-name", "http-echo");
    response.setHeader("x-app-version", self.version);
    if (request.url === "/health") response.setHeader("content-type", "application/json").end('{"status":"ok"}\n');
    else response.writeHead(Number(flags["status-code"] ?? 200), { "content-type": "text/plain" }).end(`${text}\n`);
  });
  serve(server, "http-echo", Number(port), host === "" || host === "0.0.0.0" ? bindAddress : host);
}

if (process.argv[1]?.endsWith("echo.mjs")) runEcho(process.argv.slice(2));
