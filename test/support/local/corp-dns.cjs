// The name server of a company's network, for tests: corp-dns.cjs PATH-OF-DNS-PACKET NAME=ADDRESS... ; UDP and TCP, port 53.
// What it does not know does not exist. Prints "ready".
const dgram = require("node:dgram");
const net = require("node:net");

const [path, ...pairs] = process.argv.slice(2);
const packet = require(path);
const known = new Map(pairs.map((pair) => pair.split("=")));

/** The answer to one query. */
function answer(query) {
  const [question] = query.questions;
  const data = known.get(question.name.toLowerCase());
  const flags = packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | (data === undefined ? 3 : 0);
  const answers = data !== undefined && question.type === "A" ? [{ type: "A", name: question.name, ttl: 5, data }] : [];
  return { type: "response", id: query.id, flags, questions: query.questions, answers };
}

const udp = dgram.createSocket("udp4");
udp.on("message", (bytes, from) => udp.send(packet.encode(answer(packet.decode(bytes))), from.port, from.address));
const tcp = net.createServer((socket) => {
  let received = Buffer.alloc(0);
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    while (received.length > 1 && received.length >= received.readUInt16BE(0) + 2) {
      const end = received.readUInt16BE(0) + 2;
      socket.write(packet.streamEncode(answer(packet.streamDecode(received.subarray(0, end)))));
      received = received.subarray(end);
    }
  });
});
udp.bind(53, "0.0.0.0", () => tcp.listen(53, "0.0.0.0", () => process.stdout.write("ready\n")));
