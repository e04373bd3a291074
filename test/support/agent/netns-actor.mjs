// A process in a network namespace that does as it is told: one JSON object a line comes in, one goes out.
//   { id, do: "listen", name, ports, udp, transparent }  answers connections (and datagrams) with its name and who came
//   { id, do: "connect", host, port, from }              what a connection was answered, or the error's code
//   { id, do: "ask", host, port }                        the same with a datagram
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const PATIENCE = 1_500;
const bare = (address) => String(address).replace(/^::ffff:/, "");

for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...order } = JSON.parse(line);
  act(order).then(
    (result) => say({ id, result }),
    (error) => say({ id, error: String(error) }),
  );
}
process.exit(0);

function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function act(order) {
  if (order.do === "listen") return Promise.all(order.ports.map((port) => listen({ ...order, port })));
  return order.do === "connect" ? dial(order) : ask(order);
}

function listen({ name, port, udp, host = "::", transparent }) {
  if (transparent) return listenTransparent(name, port);
  if (udp) {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.on("message", (_message, from) => socket.send(`${name} ${bare(from.address)}`, from.port, from.address));
    return new Promise((resolve, reject) => socket.on("error", reject).bind(port, host, resolve));
  }
  const server = createServer((socket) => {
    socket.on("error", () => undefined).end(`${name} ${bare(socket.remoteAddress)}`);
  });
  return new Promise((resolve, reject) => server.on("error", reject).listen({ host, port }, resolve));
}

/** Node cannot set IP_TRANSPARENT, without which the kernel hands a socket no packet for another address. */
function listenTransparent(name, port) {
  const code = `
import socket, threading
def serve(family, level, option, host):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(level, option, 1)
    s.bind((host, ${port})); s.listen(16)
    print("listening", flush=True)
    while True:
        c, peer = s.accept()
        own = c.getsockname()
        c.sendall(f"${name} {peer[0]} for {own[0]}:{own[1]}".encode()); c.close()
threading.Thread(target=serve, args=(socket.AF_INET6, socket.IPPROTO_IPV6, 75, "::"), daemon=True).start()
serve(socket.AF_INET, socket.SOL_IP, 19, "0.0.0.0")`;
  const child = spawn("python3", ["-c", code], { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill("SIGKILL"));
  let seen = 0;
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.stdout.on("data", (text) => {
      seen += String(text).split("listening").length - 1;
      if (seen === 2) resolve();
    });
  });
}

function dial({ host, port, from }) {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host, port, ...(from && { localAddress: from }) });
    socket.setTimeout(PATIENCE, () => finish("timeout"));
    socket.on("data", (data) => (text += data));
    socket.on("error", (error) => finish(error.code));
    socket.on("close", () => finish(text));
    const finish = (result) => {
      socket.destroy();
      resolve(result);
    };
  });
}

function ask({ host, port }) {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const timer = setTimeout(() => finish("timeout"), PATIENCE);
    const finish = (result) => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    socket.once("message", (message, from) => finish(`${message.toString()} from ${bare(from.address)}`));
    socket.once("error", (error) => finish(error.code));
    socket.send("?", port, host);
  });
}
