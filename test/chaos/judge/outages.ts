import { PLANNED } from '../app/setup.js';
import type { Figure } from './figures.js';
import type { Ledger, Start } from './ledger.js';
import { quantile } from './figures.js';

/** A time in which Redis could not be reached, by everybody or by one process. */
export interface Outage {
  from: number;
  /** When it could be reached again. */
  to: number;
  /** Absent: everybody. */
  pid?: number;
}

/** What a process printed. */
export interface Printed {
  pid: number;
  lines: readonly { at: number; text: string }[];
}

/** How long an enqueue may take before it rejects, in ms. */
const ENQUEUE_TIMEOUT = 2_000;
const BACK_WITHIN = 5_000;
const LOG_LINES = 10;

/** For every outage and every worker that had one, how long after its end that worker began a job, in ms. */
export function returns(starts: readonly Start[], outages: readonly Outage[], workers: readonly number[]): number[] {
  return outages.flatMap(({ to, pid }) =>
    workers
      .filter((worker) => pid === undefined || pid === worker)
      .map((worker) => {
        const later = starts.filter((start) => start.pid === worker && start.at >= to).map(({ at }) => at);
        return later.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY) - to;
      }),
  );
}

/** The lines that each process printed in the time of each outage, but for those of planned failures. */
export function linesAbout(printed: readonly Printed[], outages: readonly Outage[]): string[][] {
  return outages.flatMap(({ from, to, pid }) =>
    printed
      .filter((one) => pid === undefined || pid === one.pid)
      .map(({ lines }) =>
        lines
          .filter(({ at, text }) => at >= from && at <= to + BACK_WITHIN && !text.includes(PLANNED))
          .map(({ text }) => text),
      ),
  );
}

/** The figures of a scenario in which Redis goes away. */
export function outageFigures(
  { refusals, starts }: Ledger,
  outages: readonly Outage[],
  workers: readonly number[],
  printed: readonly Printed[],
  margin: number,
): Figure[] {
  const about = linesAbout(printed, outages);
  const took = refusals.map((refusal) => refusal.took);
  return [
    { name: 'enqueues rejected, not sent', value: refusals.filter(({ sent }) => !sent).length, unit: '' },
    { name: 'enqueues rejected, perhaps sent', value: refusals.filter(({ sent }) => sent).length, unit: '' },
    {
      name: 'an enqueue rejected after, longest',
      value: quantile(took, 1),
      unit: 'ms',
      promise: { most: ENQUEUE_TIMEOUT, margin },
      summary: 'enqueue rejected after, longest',
    },
    {
      name: 'workers began jobs again after, longest',
      value: Math.max(0, ...returns(starts, outages, workers)),
      unit: 'ms',
      promise: { most: BACK_WITHIN, margin },
      summary: 'workers were back after, longest',
    },
    {
      name: 'log lines of a process per outage',
      value: quantile(
        about.map(({ length }) => length),
        1,
      ),
      unit: '',
      promise: { most: LOG_LINES },
    },
  ];
}
