// Runs inside a new network namespace, as root: plays a pod with capture rules and a peer outside, and prints as JSON where
// each connection landed. argv: the command of mesh-agent.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { createServer } from "node:net";

const agent = process.argv.slice(2);
const POD = "10.244.9.9";
const PEER = "10.244.9.1";
const run = (command, ...args) => execFileSync(command, args, { encoding: "utf8" });

/** A second namespace, which lives as long as its process. */
const peer = spawn("unshare", ["-n", "sleep", "1000"], { stdio: "ignore" });
const own = readlinkSync("/proc/self/ns/net");
while (namespaceOf(peer.pid) === own) spawnSync("true");

run("ip", "link", "set", "lo", "up");
run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", String(peer.pid));
run("ip", "address", "add", `${POD}/24`, "dev", "eth0");
run("ip", "link", "set", "eth0", "up");
run("ip", "route", "add", "default", "via", PEER);
const inPeer = ["-t", String(peer.pid), "-n"];
run("nsenter", ...inPeer, "ip", "address", "add", `${PEER}/24`, "dev", "eth0");
run("nsenter", ...inPeer, "ip", "link", "set", "eth0", "up");

const rules = () =>
  run("iptables-save", "-t", "nat")
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .join("\n");
const capture = [
  ...agent,
  "istio-iptables",
  "-p",
  "15001",
  "-z",
  "15006",
  "-u",
  "1337",
  "-m",
  "REDIRECT",
  "-i",
  "*",
  "-x",
  "",
  "-b",
  "*",
  "-d",
  "15090,15021,15020",
];
run(...capture);
const first = rules();
run(...capture);
const second = rules();

const servers = await Promise.all([
  serve("outbound", 15001),
  serve("inbound", 15006),
  serve("app", 8080),
  serve("readiness", 15021),
]);
const outside = spawn("nsenter", [...inPeer, process.execPath, "-e", `(${serve.toString()})("peer", 7000)`], {
  stdio: "ignore",
});
while (spawnSync("nsenter", [...inPeer, "sh", "-c", "ss -Hltn 'sport = 7000' | grep -q ."]).status !== 0);

const landed = {
  "app to a service": await connect({ uid: 1000, to: ["10.96.0.10", 80] }),
  "app to a peer": await connect({ uid: 1000, to: [PEER, 7000] }),
  "app to its own address": await connect({ uid: 1000, to: [POD, 8080] }),
  "app to loopback": await connect({ uid: 1000, to: ["127.0.0.1", 8080] }),
  "proxy to a peer": await connect({ uid: 1337, to: [PEER, 7000] }),
  "proxy to its own address": await connect({ uid: 1337, to: [POD, 8080] }),
  "proxy to the app as inbound": await connect({ uid: 1337, to: [POD, 8080], from: "127.0.0.6" }),
  "peer to the app": await connect({ uid: 0, to: [POD, 8080], where: ["nsenter", ...inPeer] }),
  "peer to the readiness port": await connect({ uid: 0, to: [POD, 15021], where: ["nsenter", ...inPeer] }),
};
run(...agent, "istio-clean-iptables");
const cleaned = rules();
for (const server of servers) server.close();
outside.kill("SIGKILL");
peer.kill("SIGKILL");
process.stdout.write(JSON.stringify({ same: first === second, left: cleaned.match(/ISTIO_\w+/g) ?? [], landed }));
process.exit(0);

function namespaceOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return own;
  }
}

/** Answers every connection with its name. Also runs as text in another process. */
function serve(name, port) {
  const net = typeof createServer === "function" ? { createServer } : require("node:net");
  return new Promise((resolve) => {
    const server = net.createServer((socket) => socket.on("error", () => undefined).end(name));
    server.listen({ host: "0.0.0.0", port }, () => resolve(server));
  });
}

/** The name of the server that a connection reached, made by a process of this user. */
async function connect({ uid, to: [host, port], from, where = [] }) {
  const code = `const s=require("node:net").connect(${JSON.stringify({ host, port, localAddress: from })});s.on("data",d=>console.log(String(d)));s.on("error",e=>console.log(e.code));s.setTimeout(2000,()=>{console.log("timeout");s.destroy()})`;
  const words = [
    ...where,
    "setpriv",
    "--reuid",
    String(uid),
    "--regid",
    String(uid),
    "--clear-groups",
    process.execPath,
    "-e",
    code,
  ];
  const child = spawn(words[0], words.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  return text.trim();
}
