import type { Counter, Gauge, Histogram } from "prom-client";

/** What parts of the metrics make theirs with, in the registry of the process. */
export type MakeCounter = (name: string, help: string, labelNames?: string[]) => Counter;
export type MakeGauge = (name: string, help: string, labelNames?: string[]) => Gauge;
export type MakeHistogram = (name: string, help: string, buckets: number[], labelNames?: string[]) => Histogram;
/** A gauge that is asked for its value when it is read. */
export type MakeCounted = (name: string, help: string, count: () => number) => Gauge;

/** Buckets for times, as Istio has them. */
export const SECONDS = [0.01, 0.1, 0.5, 1, 3, 5, 10, 20, 30];
