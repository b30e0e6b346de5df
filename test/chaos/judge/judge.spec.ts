import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import { handovers, judgeDelivery, mostAtOnce, recoveries, type Delivery, type JobReport } from './delivery.js';
import { ACKNOWLEDGED, deliveryFigures, isKept, LOST, REPEATED, quantile } from './figures.js';
import { emptyLedger, LINES, ofTasks, readLedger, type Ledger } from './ledger.js';
import { linesAbout, outageFigures, returns } from './outages.js';
import { judgeTally, readTally } from './tally.js';
import { judgeTicks } from './ticks.js';
import { breaches, renderSummary, renderTable, type ScenarioResult } from './table.js';

/** One job after the other, as a worker without any trouble leaves it. */
function peaceful(...ids: string[]): Ledger {
  const ledger = emptyLedger();
  ids.forEach((id, index) => add(ledger, id, { at: index * 100 }));
  return ledger;
}

interface Event {
  at?: number;
  pid?: number;
  attempt?: number;
  key?: string;
  task?: string;
  ending?: 'done' | 'threw' | 'stopped' | 'none';
}

function add(ledger: Ledger, id: string, event: Event = {}): void {
  const { at = 0, task = 'plain' } = event;
  ledger.acks.push({ id, task, deduplicated: false, at });
  run(ledger, id, event);
}

/** A run of 50 ms. */
function run(ledger: Ledger, id: string, event: Event = {}): void {
  const { at = 0, pid = 1, attempt = 1, key = '', task = 'plain', ending = 'done' } = event;
  ledger.starts.push({ id, task, key, attempt, pid, at });
  if (ending !== 'none') ledger.ends.push({ id, attempt, pid, at: at + 50, ending });
}

function report(id: string, { state = 'completed', runs = 1 } = {}): JobReport {
  return { id, state, runs: Array.from({ length: runs }, () => ({ pid: 1, startedAt: 0 })) };
}

function broken(delivery: Delivery): string[] {
  return deliveryFigures(delivery)
    .filter((figure) => !isKept(figure))
    .map(({ name }) => name);
}

describe('A ledger', () => {
  it('is read as it was written', () => {
    const ledger = peaceful('a', 'b');
    ledger.refusals.push({ id: 'c', sent: true, code: 'TASKS_ENGINE_UNAVAILABLE', took: 2_000, at: 5 });
    ledger.refusals.push({ id: undefined, sent: false, code: 'Error', took: 1, at: 6 });
    const text = [
      ...ledger.acks.map(LINES.ack),
      ...ledger.refusals.map(LINES.refusal),
      ...ledger.starts.map(LINES.start),
      ...ledger.ends.map(LINES.end),
    ].join('');
    expect(readLedger(text)).toEqual(ledger);
  });

  it('does not count a line that its process did not finish', () => {
    const [start] = peaceful('a').starts;
    expect(readLedger(LINES.start(start) + LINES.start(start).slice(0, -4)).starts).toEqual([start]);
  });

  it('can be looked at by task', () => {
    const ledger = peaceful('a');
    add(ledger, 'b', { task: 'pill' });
    expect(ofTasks(ledger, (task) => task === 'plain')).toEqual(peaceful('a'));
  });

  it('refuses a line of an unknown kind', () => {
    expect(() => readLedger('X\t1\n')).toThrow(`unknown kind 'X'`);
  });
});

describe('The judge', () => {
  it('has nothing to say where each job ran once', () => {
    expect(broken(judgeDelivery(peaceful('a', 'b'), [report('a'), report('b')]))).toEqual([]);
  });

  it('finds an acknowledged job that never ran', () => {
    const ledger = peaceful('a');
    ledger.acks.push({ id: 'b', task: 'plain', deduplicated: false, at: 1 });
    const delivery = judgeDelivery(ledger, [report('a')]);
    expect(delivery.lost).toEqual(['b']);
    expect(broken(delivery)).toEqual(['of them lost']);
  });

  it.each(['none', 'threw', 'stopped'] as const)('calls a job lost whose only run ended with %s', (ending) => {
    const ledger = peaceful('a');
    add(ledger, 'b', { ending });
    expect(judgeDelivery(ledger, []).lost).toEqual(['b']);
  });

  it('counts a second run, and finds it when it is not on record', () => {
    const ledger = peaceful('a');
    run(ledger, 'a', { at: 500, pid: 2 });
    expect(judgeDelivery(ledger, [report('a', { runs: 2 })])).toMatchObject({ repeated: ['a'], unrecorded: [] });
    const delivery = judgeDelivery(ledger, [report('a', { runs: 1 })]);
    expect(delivery).toMatchObject({ repeated: ['a'], unrecorded: ['a'] });
    expect(broken(delivery)).toEqual(['of them without a run on record for each']);
  });

  it('does not count a planned second attempt, and finds one that was not planned', () => {
    const ledger = emptyLedger();
    add(ledger, 'a', { task: 'retried', ending: 'threw' });
    run(ledger, 'a', { task: 'retried', attempt: 2, at: 200 });
    expect(judgeDelivery(ledger, [], () => 2)).toMatchObject({ repeated: [], overcounted: [] });
    const delivery = judgeDelivery(ledger, [], () => 1);
    expect(delivery.overcounted).toEqual(['a']);
    expect(broken(delivery)).toEqual(['used an attempt for it']);
  });

  it('finds a job that ran though its enqueue said it was not sent, and lets one run that perhaps was', () => {
    const ledger = peaceful('a');
    for (const [id, sent] of [
      ['b', false],
      ['c', true],
    ] as const) {
      ledger.refusals.push({ id, sent, code: 'TASKS_ENGINE_UNAVAILABLE', took: 2_000, at: 1 });
      run(ledger, id);
    }
    const delivery = judgeDelivery(ledger, []);
    expect(delivery).toMatchObject({ unsentRan: ['b'], unknown: [], refused: 1, ambiguous: 1 });
    expect(broken(delivery)).toEqual(['ran though nobody enqueued them']);
  });

  it('finds a job that ran and that nobody enqueued', () => {
    const ledger = peaceful('a');
    run(ledger, 'b');
    const delivery = judgeDelivery(ledger, []);
    expect(delivery.unknown).toEqual(['b']);
    expect(broken(delivery)).toEqual(['ran though nobody enqueued them']);
  });

  it.each(['failed', 'active', 'waiting'])('finds a job that is %s at the end', (state) => {
    const delivery = judgeDelivery(peaceful('a'), [report('a', { state })]);
    expect(broken(delivery)).toEqual(['not completed at the end']);
  });

  it('finds that nothing was enqueued at all', () => {
    expect(broken(judgeDelivery(emptyLedger(), []))).toEqual(['acknowledged enqueues']);
  });
});

describe('The time to recover', () => {
  const first = { pid: 1, startedAt: 1_000 };

  it('is from the death of a process until what it ran is taken again', () => {
    const ledger = peaceful('a');
    add(ledger, 'b', { at: 1_000, ending: 'none' });
    run(ledger, 'b', { at: 6_500, pid: 3 });
    // Another process took it, and died before it began.
    const runs = [first, { pid: 2, startedAt: 3_500 }, { pid: 3, startedAt: 6_490 }];
    const deaths = [
      { pid: 1, at: 1_020 },
      { pid: 2, at: 3_510 },
    ];
    expect(recoveries(ledger, deaths, [{ id: 'b', state: 'completed', runs }])).toEqual([2_480]);
  });

  it('is unknown where the job was never taken again, and not asked for where nothing is on record', () => {
    const ledger = emptyLedger();
    add(ledger, 'a', { ending: 'none' });
    add(ledger, 'b', { ending: 'none' });
    const report: JobReport = { id: 'a', state: 'active', runs: [first] };
    expect(recoveries(ledger, [{ pid: 1, at: 20 }], [report])).toEqual([undefined]);
  });

  it('counts from the end of a run that was stopped', () => {
    const ledger = emptyLedger();
    add(ledger, 'a', { ending: 'stopped' });
    add(ledger, 'b', { ending: 'stopped' });
    run(ledger, 'a', { at: 60, pid: 2 });
    expect(handovers(ledger)).toEqual([10, Number.POSITIVE_INFINITY]);
  });
});

describe('Runs at once', () => {
  const isMeant = (task: string): boolean => task === 'limited';
  const limited = { task: 'limited', key: 'k' };

  it('are counted per key, and only of the tasks meant', () => {
    const ledger = emptyLedger();
    add(ledger, 'a', { ...limited, at: 0 });
    add(ledger, 'b', { ...limited, at: 10 });
    add(ledger, 'c', { ...limited, at: 50 });
    add(ledger, 'd', { ...limited, key: 'other', at: 10 });
    add(ledger, 'e', { task: 'plain', key: 'k', at: 10 });
    expect(mostAtOnce(ledger, [], isMeant)).toBe(2);
  });

  it('end with their process', () => {
    const ledger = emptyLedger();
    add(ledger, 'a', { ...limited, ending: 'none' });
    add(ledger, 'b', { ...limited, at: 30, pid: 2 });
    expect(mostAtOnce(ledger, [{ pid: 1, at: 20 }], isMeant)).toBe(1);
    expect(mostAtOnce(ledger, [], isMeant)).toBe(2);
  });
});

describe('An outage', () => {
  it('is over for a worker when it begins a job', () => {
    const ledger = emptyLedger();
    run(ledger, 'a', { at: 150, pid: 1 });
    run(ledger, 'b', { at: 400, pid: 2 });
    const { starts } = ledger;
    expect(returns(starts, [{ from: 0, to: 100 }], [1, 2])).toEqual([50, 300]);
    expect(returns(starts, [{ from: 0, to: 100, pid: 2 }], [1, 2])).toEqual([300]);
    expect(returns(starts, [{ from: 0, to: 200 }], [1])).toEqual([Number.POSITIVE_INFINITY]);
  });

  it('has the lines that were printed until it was over', () => {
    const lines = [-1, 0, 100, 5_100, 5_101].map((at) => ({ at, text: String(at) }));
    expect(linesAbout([{ pid: 1, lines }], [{ from: 0, to: 100 }])).toEqual([['0', '100', '5100']]);
    expect(linesAbout([{ pid: 1, lines }], [{ from: 0, to: 100, pid: 2 }])).toEqual([]);
  });

  it('breaks each of its promises when it is too long', () => {
    const ledger = peaceful('a');
    ledger.refusals.push({ id: 'b', sent: false, code: 'TASKS_ENGINE_UNAVAILABLE', took: 2_501, at: 0 });
    run(ledger, 'a', { at: 6_401 });
    const lines = Array.from({ length: 11 }, () => ({ at: 500, text: 'Redis is away' }));
    const figures = outageFigures(ledger, [{ from: 400, to: 900 }], [1], [{ pid: 1, lines }], 500);
    expect(figures.filter((figure) => !isKept(figure)).map(({ name }) => name)).toEqual([
      'an enqueue rejected after, longest',
      'workers began jobs again after, longest',
      'log lines of a process per outage',
    ]);
  });
});

describe('The ticks of a schedule', () => {
  const ticked = (...ticks: number[]): Ledger => {
    const ledger = emptyLedger();
    for (const tick of ticks) run(ledger, `job-${tick}`, { key: String(tick), at: tick + 20 });
    return ledger;
  };

  it('are all there, once', () => {
    expect(judgeTicks(ticked(0, 1_000, 2_000), 0, 2_000, 1_000)).toEqual({
      due: 3,
      missing: [],
      doubled: [],
      unknown: [],
      late: [20, 20, 20],
    });
  });

  it('are missing where no run of theirs was done', () => {
    const ledger = ticked(0, 2_000);
    run(ledger, 'stopped', { key: '3000', at: 3_000, ending: 'stopped' });
    const { missing } = judgeTicks(ledger, 0, 3_000, 1_000);
    expect(missing).toEqual(['1970-01-01T00:00:01.000Z', '1970-01-01T00:00:03.000Z']);
  });

  it('are doubled where two jobs were made of one, and not where one job ran twice', () => {
    const ledger = ticked(0, 1_000);
    run(ledger, 'job-0', { key: '0', at: 3_000, pid: 2 });
    expect(judgeTicks(ledger, 0, 1_000, 1_000).doubled).toEqual([]);
    run(ledger, 'other', { key: '1000', at: 1_200, pid: 2 });
    expect(judgeTicks(ledger, 0, 1_000, 1_000).doubled).toEqual(['1970-01-01T00:00:01.000Z']);
  });

  it('are unknown where none was due, or where a run knows no tick', () => {
    const ledger = ticked(0);
    run(ledger, 'a', { key: '500' });
    run(ledger, 'b', { key: 'undefined' });
    expect(judgeTicks(ledger, 0, 0, 1_000).unknown).toEqual(['1970-01-01T00:00:00.500Z', 'NaN']);
  });
});

describe('A tally', () => {
  it('tells which numbers are missing and which are there twice', () => {
    const tally = new Uint8Array(4);
    for (const text of ['0\n1\n0', '2\n0\n']) readTally(text, tally);
    expect([...tally]).toEqual([2, 1, 1, 0]);
    expect(judgeTally(tally)).toEqual({ lost: 1, repeated: 1 });
  });

  it.each(['4', '-1', 'x', ''])('refuses the number "%s"', (text) => {
    expect(() => readTally(`${text}\n`, new Uint8Array(4))).toThrow('unknown number');
  });
});

describe('A promise', () => {
  const figure = { name: 'exit', value: 1_500, unit: 'ms' };

  it.each([
    [{ most: 1_500 }, true],
    [{ most: 1_499 }, false],
    [{ most: 1_000, margin: 500 }, true],
    [{ most: 1_000, margin: 499 }, false],
    [{ least: 1_501 }, false],
    [undefined, true],
  ])('%j is kept by 1,500: %s', (promise, kept) => {
    expect(isKept({ ...figure, ...(promise && { promise }) })).toBe(kept);
  });

  it('is not kept by a number that is not there', () => {
    expect(isKept({ ...figure, value: Number.NaN, promise: { most: 1 } })).toBe(false);
    expect(isKept({ ...figure, value: Number.POSITIVE_INFINITY, promise: { most: 1 } })).toBe(false);
  });

  it('has quantiles that are measured values', () => {
    expect([0.5, 0.99, 1].map((share) => quantile([4, 1, 3, 2], share))).toEqual([2, 4, 4]);
    expect(quantile([], 1)).toBe(0);
  });
});

describe('The table', () => {
  const results: ScenarioResult[] = [
    {
      name: 'kills',
      title: '2 × kill -9',
      seconds: 3,
      figures: [
        { name: 'lost', value: 1, unit: '', promise: { most: 0 } },
        { name: 'longest', value: 1_234.56, unit: 'ms', promise: { most: 3_000, margin: 500 } },
        { name: 'p50', value: 12.34, unit: 'ms' },
      ],
    },
    { name: 'network', title: 'cuts', seconds: 1, figures: [], error: 'It hangs.' },
  ];

  it('has a line for every figure, beside what is promised of it', () => {
    expect(renderTable(results)).toBe(
      [
        '| what happens | figure                   | measured |         promised |            |',
        '| ------------ | ------------------------ | -------: | ---------------: | ---------- |',
        '| 2 × kill -9  | lost                     |        1 |                0 | **broken** |',
        '|              | longest                  | 1,235 ms | ≤ 3,000 + 500 ms | kept       |',
        '|              | p50                      |  12.3 ms |                  |            |',
        '| cuts         | could not be carried out |        – |                  | **broken** |',
      ].join('\n'),
    );
  });

  it('comes down to one line per scenario', () => {
    const figures = [
      { name: ACKNOWLEDGED, value: 10_000, unit: '' },
      { name: LOST, value: 0, unit: '', promise: { most: 0 } },
      { name: REPEATED, value: 12, unit: '' },
      { name: 'began again, longest', value: 2_720, unit: 'ms', promise: { most: 3_000 }, summary: 'longest' },
      { name: 'keys left', value: 0, unit: '', promise: { most: 0 }, summary: 'keys left' },
    ];
    expect(renderSummary([{ name: 'kills', title: '2 × kill -9', seconds: 3, figures }, results[1]])).toBe(
      [
        '| what happens | enqueued | lost | ran again | and                                        |',
        '| ------------ | -------: | ---: | --------: | ------------------------------------------ |',
        '| 2 × kill -9  |   10,000 |    0 |        12 | longest 2,720 ms (≤ 3,000 ms), keys left 0 |',
        '| cuts         |          |      |           | **broken**                                 |',
      ].join('\n'),
    );
  });

  it.each([renderTable, renderSummary])('is Markdown as prettier writes it', async (render) => {
    expect(await format(render(results), { parser: 'markdown' })).toBe(`${render(results)}\n`);
  });

  it('tells every broken promise in a sentence', () => {
    expect(breaches(results)).toEqual(['kills: lost: 1, promised 0', 'network: It hangs.']);
  });
});
