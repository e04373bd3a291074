import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { encode } from "dns-packet";
import { type Dice, dice } from "../simulate/dice.ts";

/** At a time, by TCP. */
const CLIENTS = 300;

/**
 * Throws garbage at a DNS server for so many milliseconds: random bytes, queries with changed bytes or an end too early, by UDP and TCP;
 * TCP clients that say half of a message, or nothing. Resolves with how many messages went. The same seed makes the same garbage.
 */
export async function throwAtDns(
  at: { readonly host: string; readonly port: number },
  forMs: number,
  seed: number,
): Promise<number> {
  const until = Date.now() + forMs;
  const roll = dice(seed);
  const udp = createSocket("udp4");
  const held = Array.from({ length: CLIENTS }, (_, index) => {
    const socket = connect(at.port, at.host);
    socket.on("error", () => undefined);
    socket.resume();
    if (index % 3 > 0) socket.write(index % 3 === 1 ? Buffer.of(0xff, 0xff, 1) : Buffer.of(0));
    return socket;
  });
  let sent = 0;
  while (Date.now() < until) {
    const messages = Array.from({ length: 20 }, () => garbage(roll));
    await Promise.all(
      messages.map((message) => new Promise((resolve) => udp.send(message, at.port, at.host, resolve))),
    );
    await new Promise<void>((resolve) => {
      const socket = connect(at.port, at.host);
      socket.on("error", () => undefined);
      socket.on("close", () => resolve());
      socket.resume();
      const [first = Buffer.alloc(0)] = messages;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(roll.pick([first.length, first.length + 1, 0]));
      socket.end(Buffer.concat([length, first]));
    });
    sent += messages.length + 1;
  }
  udp.close();
  for (const socket of held) socket.destroy();
  return sent;
}

/** Names end in a zone that nobody serves: what is a question all the same is not asked of others for long. */
function garbage(roll: Dice): Buffer {
  const name = `${"a".repeat(1 + roll.int(60))}.invalid`;
  const query = encode({ type: "query", id: roll.int(65_536), questions: [{ type: "A", name }] });
  const bytes = roll.pick([Buffer.alloc(roll.int(600), roll.int(256)), Buffer.from(query)]);
  for (let times = 0; times < 8 && bytes.length > 0; times += 1) bytes[roll.int(bytes.length)] = roll.int(256);
  return bytes.subarray(0, roll.pick([bytes.length, roll.int(bytes.length + 1)]));
}
