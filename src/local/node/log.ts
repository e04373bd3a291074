const MAX_BYTES = 4 * 1024 * 1024;
const MAX_LINE = 64 * 1024;

export interface LogQuery {
  readonly follow: boolean;
  readonly tailLines: number | undefined;
  readonly timestamps: boolean;
  /** Milliseconds: lines from before are left out, of the tail too. Default: none is. */
  readonly since?: number | undefined;
}

interface Line {
  readonly time: string;
  readonly text: Buffer;
}

/** What one run of a container wrote: the newest 4 MiB, line by line with the time of arrival. In memory only. */
export class ContainerLog {
  private lines: Line[] = [];
  /** Index of the oldest line that is kept. */
  private start = 0;
  /** Lines that stood before the array's first one. */
  private cut = 0;
  private bytes = 0;
  private rest: Buffer = Buffer.alloc(0);
  private ended = false;
  private readonly waiting = new Set<() => void>();
  private readonly now: () => Date;

  constructor(now: () => Date) {
    this.now = now;
  }

  append(chunk: Buffer): void {
    let data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const time = this.time();
    for (let end = data.indexOf(10); end >= 0 || data.length > MAX_LINE; end = data.indexOf(10)) {
      const size = end >= 0 ? end + 1 : MAX_LINE;
      this.push({ time, text: Buffer.from(data.subarray(0, size)) });
      data = data.subarray(size);
    }
    this.rest = Buffer.from(data);
    this.wake();
  }

  /** No more will come: the run is over. */
  end(): void {
    if (this.ended) return;
    if (this.rest.length > 0) this.push({ time: this.time(), text: this.rest });
    this.rest = Buffer.alloc(0);
    this.ended = true;
    this.wake();
  }

  /** The last lines as text, for a termination message. */
  tail(lines: number): string {
    return Buffer.concat(
      this.lines.slice(Math.max(this.start, this.lines.length - lines)).map((line) => line.text),
    ).toString();
  }

  async *read({ follow, tailLines, timestamps, since }: LogQuery, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const isNew = ({ time }: Line): boolean => since === undefined || Date.parse(time) >= since;
    const kept = this.lines.length - this.start;
    let next = this.cut + this.start + Math.max(0, kept - (tailLines ?? kept));
    for (;;) {
      const batch = this.lines.slice(Math.max(this.start, next - this.cut)).filter(isNew);
      next = this.cut + this.lines.length;
      const parts = batch.flatMap(({ time, text }) => (timestamps ? [Buffer.from(`${time} `), text] : [text]));
      if (parts.length > 0) yield Buffer.concat(parts);
      if (!follow || signal.aborted) return;
      if (next < this.cut + this.lines.length) continue;
      if (this.ended) return;
      await this.more(signal);
    }
  }

  /** RFC 3339 with nine digits, as container runtimes write it. */
  private time(): string {
    return this.now().toISOString().replace("Z", "000000Z");
  }

  /** Drops the oldest lines by moving the start; the array itself is cut only when half of it is dead. */
  private push(line: Line): void {
    this.lines.push(line);
    this.bytes += line.text.length;
    while (this.bytes > MAX_BYTES && this.start < this.lines.length) {
      this.bytes -= this.lines[this.start++]?.text.length ?? 0;
    }
    if (this.start * 2 > this.lines.length) {
      this.lines = this.lines.slice(this.start);
      this.cut += this.start;
      this.start = 0;
    }
  }

  private more(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener("abort", done);
    });
  }

  private wake(): void {
    for (const done of this.waiting) done();
  }
}
