/** Units of time that requests are counted in, as Envoy names them. */
export type Unit = "SECOND" | "MINUTE" | "HOUR" | "DAY" | "MONTH" | "YEAR";

/** A stretch of time, in seconds since the epoch; `end` is the start of the next. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

const SECONDS: Readonly<Record<Exclude<Unit, "MONTH" | "YEAR">, number>> = {
  SECOND: 1,
  MINUTE: 60,
  HOUR: 3_600,
  DAY: 86_400,
};

/** The unit of time that `now` (milliseconds since the epoch) is in. Units begin by UTC, so that replicas agree on them. */
export function windowOf(unit: Unit, now: number): Window {
  if (unit === "MONTH" || unit === "YEAR") return calendarWindow(unit, new Date(now));
  const length = SECONDS[unit];
  const start = Math.floor(now / 1000 / length) * length;
  return { start, end: start + length };
}

function calendarWindow(unit: "MONTH" | "YEAR", now: Date): Window {
  const year = now.getUTCFullYear();
  const month = now.getUTCMonth();
  const [from, to] =
    unit === "YEAR" ? [Date.UTC(year), Date.UTC(year + 1)] : [Date.UTC(year, month), Date.UTC(year, month + 1)];
  return { start: from / 1000, end: to / 1000 };
}
