// The one process that keeps a network namespace, and a door through its wall: unix sockets pass where addresses do not.
//   a connection to the socket named first says { host, port } in one line, hears "ok" or an error's code, and is then that TCP connection
//   stdin, one JSON object a line: { id, do: "listen", host, port, to }  hands each TCP connection to the unix socket `to`
//                                  { id, do: "close", host, port }       takes that away, with the connections it has
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";

const open = new Map();
const place = ({ host, port }) => `${host}:${port}`;
const acts = { listen, close };

createServer({ allowHalfOpen: true }, admit).listen(process.argv[2], () => process.stdout.write("{}\n"));
for await (const line of createInterface({ input: process.stdin })) {
  const { id, ...order } = JSON.parse(line);
  const say = (error) => process.stdout.write(`${JSON.stringify({ id, error })}\n`);
  acts[order.do](order).then(
    () => say(),
    (error) => say(String(error)),
  );
}
process.exit(0);

function admit(socket) {
  socket.once("data", (line) => {
    const { host, port } = JSON.parse(String(line));
    const out = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const refused = (error) => socket.end(`${error.code}\n`);
    out.once("error", refused);
    out.once("connect", () => {
      out.off("error", refused);
      socket.write("ok\n");
      join(socket, out);
    });
  });
  socket.on("error", () => socket.destroy());
}

function listen(order) {
  const sockets = new Set();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    join(socket, connect({ path: order.to, allowHalfOpen: true }));
  });
  open.set(place(order), { server, sockets });
  return new Promise((resolve, reject) => {
    server.on("error", reject).listen({ host: order.host, port: order.port, backlog: 511 }, resolve);
  });
}

async function close(order) {
  const { server, sockets } = open.get(place(order));
  server.close();
  for (const socket of sockets) socket.destroy();
}

/** Bytes and orderly ends go over; an end in disorder is one for both. */
function join(one, other) {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ]) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      if (!from.readableEnded) to.destroy();
    });
  }
}
