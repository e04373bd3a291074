// The shop: one program, a role for each service (flag --role or ROLE; port by --port or PORT).
//   web      HTTP  front: / asks catalog and cart, POST /buy/ITEM puts something in the cart
//   catalog  HTTP  the goods; three versions (VERSION=v1|v2|v3), each says which it is
//   cart     HTTP  what is bought; keeps its sums in the ledger
//   ledger   TCP   one line in, one line out: PING, ADD NUMBER, SUM
//   client   HTTP  /run?url=… and /tcp?to=… send requests from inside the cluster and answer with a tally
//   echo     HTTP  answers one text (flags as in echo.mjs)
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { runEcho } from "./echo.mjs";
import { call, readFlags, self, serve, talk, traceHeaders } from "./lib.mjs";
import { tally } from "./tally.mjs";

const CATALOG = process.env.CATALOG_URL ?? "http://catalog:8000";
const CART = process.env.CART_URL ?? "http://cart:8000";
const LEDGER = process.env.LEDGER_ADDRESS ?? "ledger:9000";

const GOODS = [
  { id: "kettle", price: 30, stock: 4 },
  { id: "teapot", price: 25, stock: 0 },
  { id: "cup", price: 6, stock: 112 },
];

/** Each version of the catalog tells more than the one before. */
const SHOWN = {
  v1: ({ id }) => ({ id }),
  v2: ({ id, price }) => ({ id, price }),
  v3: ({ id, price, stock }) => ({ id, price, stock }),
};

const ROLES = {
  web: { port: 8080, routes: { "GET /": front, "POST /buy": buy } },
  catalog: { port: 8000, routes: { "GET /items": () => ({ items: GOODS.map(SHOWN[self.version] ?? SHOWN.v1) }) } },
  cart: { port: 8000, routes: { "GET /cart": () => sums(["SUM"]), "POST /cart": add } },
  client: { port: 8080, routes: { "GET /run": run, "GET /tcp": runTcp } },
};

async function front({ headers }) {
  const trace = traceHeaders(headers);
  const [catalog, cart] = await Promise.all([
    call(`${CATALOG}/items`, { headers: trace }),
    call(`${CART}/cart`, { headers: trace }),
  ]);
  const isGood = catalog.status === 200 && cart.status === 200;
  return { code: isGood ? 200 : 502, catalog: parse(catalog), cart: parse(cart) };
}

async function buy({ headers, url }) {
  const answer = await call(`${CART}/cart${tail(url)}`, { method: "POST", headers: traceHeaders(headers) });
  return { code: answer.status, cart: parse(answer) };
}

async function add({ url }) {
  const item = GOODS.find(({ id }) => tail(url) === `/${id}`);
  return item === undefined
    ? { code: 404, error: `no such item: ${tail(url).slice(1)}` }
    : sums([`ADD ${item.price}`, "SUM"]);
}

async function sums(lines) {
  const at = LEDGER.lastIndexOf(":");
  const answers = await talk(LEDGER.slice(0, at), Number(LEDGER.slice(at + 1)), lines);
  const [, total, count, ledger] = answers.at(-1).split(" ");
  return { total: Number(total), bought: Number(count), ledger };
}

function run({ query }) {
  const { url } = query;
  if (url === undefined) return { code: 400, error: "give url" };
  const header = query.header?.split(":").map((part) => part.trim());
  return tally({ ...numbers(query), url, method: query.method, headers: header ? { [header[0]]: header[1] } : {} });
}

function runTcp({ query }) {
  return query.to === undefined
    ? { code: 400, error: "give to" }
    : tally({ ...numbers(query), tcp: query.to, line: query.line });
}

function numbers({ requests = "1", concurrency = "1", timeout = "10000", hold = "0", seconds, rate }) {
  return {
    requests: Number(requests),
    concurrency: Number(concurrency),
    timeout: Number(timeout),
    hold: Number(hold),
    seconds: seconds === undefined ? undefined : Number(seconds),
    rate: rate === undefined ? undefined : Number(rate),
  };
}

function parse({ status, body }) {
  try {
    return JSON.parse(body);
  } catch {
    return { status, text: body };
  }
}

/** What follows the first segment of a path: /buy/cup -> /cup */
function tail(url) {
  const rest = url.split("?")[0].split("/").slice(2).join("/");
  return rest === "" ? "" : `/${rest}`;
}

/** The caller's SPIFFE id, as the inbound sidecar writes it; undefined for plain text. */
function callerOf(headers) {
  return /URI=([^;,]+)/.exec(String(headers["x-forwarded-client-cert"] ?? ""))?.[1];
}

/** For tests of timeouts and retries, in every role: /delay/MS and /status/CODE. */
async function special(path) {
  const [, word, value] = path.split("/");
  if (word === "healthz") return { status: "ok" };
  if (word === "status") return { code: Number(value) };
  if (word !== "delay") return undefined;
  await new Promise((resolve) => setTimeout(resolve, Number(value)));
  return { delayed: Number(value) };
}

function httpRole(role, routes) {
  // Longer than a proxy keeps a connection it does not use: else a request may meet the closing of one.
  return createServer({ keepAliveTimeout: 4_000_000 }, (request, response) => {
    void answerHttp({ role, routes }, request, response);
  });
}

async function answerHttp({ role, routes }, request, response) {
  request.resume();
  const { pathname, searchParams } = new URL(request.url, "http://any");
  const key = `${request.method} /${pathname.split("/")[1]}`;
  let answer;
  try {
    const route = { url: request.url, headers: request.headers, query: Object.fromEntries(searchParams) };
    answer = (await special(pathname)) ?? (await routes[key]?.(route)) ?? { code: 404, error: `no route ${key}` };
  } catch (error) {
    answer = { code: 503, error: error.message };
  }
  const { code = 200, ...rest } = answer;
  const caller = callerOf(request.headers);
  // A tally is about those who answered: it stands alone.
  const body =
    rest.requests !== undefined
      ? rest
      : { service: role, ...self, ...(caller === undefined ? {} : { caller }), ...rest };
  response.writeHead(code, { "content-type": "application/json", "x-app-version": self.version });
  response.end(`${JSON.stringify(body)}\n`);
}

/** Sums live in memory: one ledger, one truth. */
function ledger() {
  let [total, count] = [0, 0];
  const answer = (line) => {
    const [word, value] = line.trim().split(/\s+/);
    if (word === "PING") return `PONG ${self.pod}`;
    if (word === "SUM") return `SUM ${total} ${count} ${self.pod}`;
    if (word !== "ADD" || !Number.isFinite(Number(value ?? "x"))) return "ERROR expected PING, ADD NUMBER or SUM";
    total += Number(value);
    count += 1;
    return `OK ${total}`;
  };
  return createTcpServer((socket) => {
    let text = "";
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      const lines = (text + chunk).split("\n");
      text = lines.pop();
      if (text.length > 1_000) socket.destroy();
      else for (const line of lines) socket.write(`${answer(line)}\n`);
    });
  });
}

function main(argv) {
  const role = process.env.ROLE ?? readFlags(argv.slice(0, 2)).role;
  if (role === "echo") {
    runEcho(argv.filter((word, i) => !/^--?role(=|$)/.test(word) && !/^--?role$/.test(argv[i - 1] ?? "")));
    return;
  }
  const port = Number(readFlags(argv).port ?? process.env.PORT ?? ROLES[role]?.port ?? 9000);
  if (role === "ledger") serve(ledger(), role, port);
  else if (ROLES[role] !== undefined) serve(httpRole(role, ROLES[role].routes), role, port);
  else {
    console.error(`--role: expected ${[...Object.keys(ROLES), "ledger", "echo"].join(", ")}, got ${role ?? "nothing"}`);
    process.exit(2);
  }
}

main(process.argv.slice(2));
