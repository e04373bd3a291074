import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

// An API server without objects, for peers that ask one though all they need is in files: tells its port and serves.

function status(answer: ServerResponse, code: number, reason: string): void {
  answer.statusCode = code;
  answer.end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", reason, code }));
}

const server = createServer((request, answer) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  answer.setHeader("content-type", "application/json");
  if (url.pathname === "/version") answer.end('{"major":"1","minor":"34","gitVersion":"v1.34.0"}');
  else if (url.searchParams.get("sendInitialEvents") === "true") status(answer, 422, "Invalid");
  else if (url.searchParams.get("watch") === "true") answer.flushHeaders();
  else if (url.pathname.endsWith("/mutatingwebhookconfigurations"))
    answer.end(
      JSON.stringify({
        kind: "MutatingWebhookConfigurationList",
        apiVersion: "admissionregistration.k8s.io/v1",
        metadata: { resourceVersion: "1" },
        items: [],
      }),
    );
  else status(answer, 404, "NotFound");
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
