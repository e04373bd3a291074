// Runs inside a network namespace (tests start it by `ip netns exec`): `serve HOST PORT…` is the echo application on each
// port; `call KIND TARGET PATH-OR-TEXT` makes one request and prints what came back, or the error, as JSON.
import { echo, http1, http2, type Target } from "./client.ts";
import { startEchoApp } from "./echo-app.ts";

const [mode, ...args] = process.argv.slice(2);
if (mode === "serve") {
  const [host = "", ...ports] = args;
  await Promise.all(ports.map((port) => startEchoApp({ host, port: Number(port) })));
  process.stdout.write("serving\n");
} else {
  const [kind, target = "", text = ""] = args;
  const call = { http1, http2, echo }[kind ?? ""] ?? echo;
  const answer = await call(JSON.parse(target) as Target, text).then(
    (value) => ({ value }),
    (error: unknown) => ({ error: String(error) }),
  );
  process.stdout.write(JSON.stringify(answer));
}
