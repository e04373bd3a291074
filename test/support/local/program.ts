import { type RequestOptions, get } from "node:http";

/** A program as a user writes one: where to listen comes from the environment, what it says too. */
export const PROGRAM = `
import { readFileSync } from "node:fs";
import { createServer, get } from "node:http";
const server = createServer((request, response) => {
  console.log(request.method, request.url);
  if (request.url === "/env") return response.end(JSON.stringify(process.env));
  if (request.url === "/config") return response.end(readFileSync("etc/config/greeting", "utf8"));
  if (request.url === "/who") return response.end(JSON.stringify({ uid: process.getuid(), cwd: process.cwd() }));
  if (request.url.startsWith("/ask/")) {
    const url = Buffer.from(request.url.slice(5), "base64url").toString();
    return get(url, { agent: false }, (answer) => answer.pipe(response)).on("error", (error) => response.end(error.message));
  }
  response.end(process.env.VERSION + " " + process.env.HOSTNAME);
});
server.listen(8080, process.env.BIND_ADDRESS, () => console.log("listening"));
createServer((request, response) => response.end("inside " + request.socket.remoteAddress)).listen(9090, process.env.BIND_ADDRESS ?? "127.0.0.1");
process.on("SIGTERM", () => {
  console.log("stopping");
  server.close(() => process.exit(0));
});
`;

/** Two pods of it, of an image example.com/web, behind a Service. */
export const APP = `
apiVersion: v1
kind: ConfigMap
metadata: {name: greeting, namespace: default}
data: {greeting: hello}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: example.com/web:1
        env: [{name: VERSION, value: v1}]
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: 8080}}
        livenessProbe: {tcpSocket: {port: 8080}}
        volumeMounts: [{name: config, mountPath: /etc/config}]
      volumes: [{name: config, configMap: {name: greeting}}]
`;

/** Not by fetch, which refuses port 10080: what port 80 is on loopback addresses. */
export function fetchDirectly(url: string): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  return answerTo({ host: hostname, port, path: pathname, agent: false });
}

/** The body of the answer to a request. */
export function answerTo(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ ...options, timeout: 3000 }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.once("end", () => {
        resolve(text);
      });
      answer.once("error", reject);
    });
    request.once("timeout", () => request.destroy(new Error("timeout")));
    request.once("error", reject);
  });
}
