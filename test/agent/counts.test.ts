import { expect, test } from "vitest";
import { createCounts } from "../../src/agent/counts.ts";

const BYTES = ":istio_tcp_received_bytes_total,istio_tcp_sent_bytes_total";
const LABELS = { source_app: "a", reporter: "source" };

/** A record of a connection as Envoy writes it. */
function record(
  id: string,
  totals: string,
  type = "TcpPeriodic",
  labels: object = LABELS,
): ReadonlyMap<string, string> {
  return new Map(Object.entries({ [BYTES]: totals, ":id": id, ":type": type, ...labels }) as [string, string][]);
}

/** What a scrape tells, over what Envoy has. */
function told(counts: ReturnType<typeof createCounts>, envoy = ""): string {
  const scrape = counts.scrape();
  return scrape.added(envoy) + scrape.rest();
}

test("totals of an open connection are counted once, also its last", () => {
  const counts = createCounts();
  counts.add(record("1", "100,20"));
  counts.add(record("1", "250,20"));
  counts.add(record("2", "1,1"));
  const labels = 'reporter="source",source_app="a"';
  const text = (received: number, sent: number): string =>
    [
      "# TYPE istio_tcp_received_bytes_total counter",
      "# TYPE istio_tcp_sent_bytes_total counter",
      `istio_tcp_received_bytes_total{${labels}} ${received}`,
      `istio_tcp_sent_bytes_total{${labels}} ${sent}`,
      "",
    ].join("\n");
  expect(told(counts)).toBe(text(251, 21));
  counts.add(record("1", "300,30", "TcpConnectionEnd"));
  expect(told(counts)).toBe(text(301, 31));
  // the number may come again for another connection
  counts.add(record("1", "5,5"));
  expect(told(counts)).toBe(text(306, 36));
});

test("what Envoy counted with the same labels, in any order, gets ours on top; all else passes as it is", () => {
  const counts = createCounts();
  counts.add(record("1", "100,20"));
  const envoy = [
    "# TYPE istio_tcp_sent_bytes_total counter",
    'istio_tcp_sent_bytes_total{source_app="a",reporter="source"} 7',
    'istio_tcp_sent_bytes_total{source_app="b",reporter="source"} 8',
    'istio_requests_total{source_app="a",reporter="source"} 9',
    "",
  ].join("\n");
  expect(told(counts, envoy)).toBe(
    [
      "# TYPE istio_tcp_sent_bytes_total counter",
      'istio_tcp_sent_bytes_total{source_app="a",reporter="source"} 27',
      'istio_tcp_sent_bytes_total{source_app="b",reporter="source"} 8',
      'istio_requests_total{source_app="a",reporter="source"} 9',
      "# TYPE istio_tcp_received_bytes_total counter",
      'istio_tcp_received_bytes_total{reporter="source",source_app="a"} 100',
      "",
    ].join("\n"),
  );
  const empty = createCounts();
  expect(told(empty, envoy)).toBe(envoy);
});

test("a record without an id is all there is", () => {
  const counts = createCounts();
  const messages = new Map([
    [":istio_request_messages_total,istio_response_messages_total", "2,5"],
    ["reporter", "source"],
  ]);
  counts.add(messages);
  counts.add(messages);
  expect(told(counts)).toContain('istio_response_messages_total{reporter="source"} 10\n');
});

test("values of labels cannot become lines or labels", () => {
  const counts = createCounts();
  counts.add(record("1", "1,1", "TcpPeriodic", { source_app: 'x"} 99\nistio_requests_total{a="\\ü' }));
  const lines = told(counts).trim().split("\n");
  expect(lines).toHaveLength(4);
  const utf8 = Buffer.from(lines[2] ?? "", "latin1").toString("utf8");
  expect(utf8).toBe(String.raw`istio_tcp_received_bytes_total{source_app="x\"} 99\nistio_requests_total{a=\"\\ü"} 1`);
  // and what we wrote is found again in what Envoy writes the same way
  expect(told(counts, `${lines[2]}\n`)).toContain(`${lines[2]?.replace(/1$/, "2")}\n`);
});

test("numbers that are none count nothing", () => {
  const counts = createCounts();
  counts.add(record("1", "-,-"));
  counts.add(record("1", "3,x"));
  expect(told(counts)).toMatch(/received_bytes_total\{.*\} 3\n.*sent_bytes_total\{.*\} 0\n/s);
});

test("bounds: further label sets are dropped and told of; what is idle goes, as in Envoy", () => {
  let now = 0;
  let dropped = 0;
  const bounds = { sets: 2, forgetOpenAfter: 10, forgetAfter: 100 };
  const counts = createCounts({ now: () => now, onDropped: () => dropped++, bounds });
  counts.add(record("1", "1,1"));
  counts.add(record("2", "1,1", "TcpPeriodic", { source_app: "other" }));
  expect(dropped).toBe(2);
  expect(told(counts)).not.toContain("other");
  now = 50;
  told(counts);
  // unheard of for too long, it was another connection
  counts.add(record("1", "1,1"));
  expect(told(counts)).toMatch(/received_bytes_total\{.*\} 2\n/);
  now = 151;
  expect(told(counts)).toBe("");
});
