/** Longest time that a run keeps all others away, and that it waits for those that go on, in milliseconds. */
const LONGEST = 10 * 60_000;

/** Whoever can keep jobs from coming to this process. */
export interface JobSource {
  hold(): () => void;
}

/** Where a run is while its task is carried out, as far as other runs of the process are concerned. */
export interface Presence {
  enter(): void;
  /** The task has ended, or waits for another job. */
  leave(): void;
  /** After such a wait; undefined where it may go on at once. */
  comeBack(): Promise<void> | undefined;
}

/** A run's wish to be alone in the process; given up, or over, when it leaves. */
export interface Stay extends Presence {
  /** False: it left before it was alone. */
  readonly entered: Promise<boolean>;
}

/**
 * Lets one run of the process be alone: no jobs come meanwhile, and those that run end first. A task that waits for
 * another job is no neighbour: it does nothing that could hurt or be hurt, and might wait for this very run.
 */
export class Solitude implements Presence {
  private sources: readonly JobSource[] = [];
  private neighbours = 0;
  /** The run that is alone, and those that want to be. */
  private readonly line: LoneStay[] = [];
  private readonly comingBack: (() => void)[] = [];
  private holds: (() => void)[] = [];

  constructor(private readonly longest = LONGEST) {}

  /** From where jobs come to this process. */
  govern(sources: readonly JobSource[]): void {
    this.sources = sources;
  }

  /** Runs that are going on beside the one that wants to be alone. */
  get busy(): number {
    return this.neighbours;
  }

  /** Whether a run is alone or waits to be, so that no other may begin. */
  get isWanted(): boolean {
    return this.line.length > 0;
  }

  enter(): void {
    this.neighbours++;
  }

  leave(): void {
    this.neighbours--;
    if (this.line.length > 0) this.advance();
  }

  comeBack(): Promise<void> | undefined {
    if (this.isTaken) return this.waitToComeBack();
    this.neighbours++;
    return undefined;
  }

  /** Asks to be alone; jobs are held from this very moment. */
  ask(): Stay {
    return new LoneStay(this);
  }

  /** Sends those away that wait to be alone for the first time, so that they need not be waited for. */
  dismiss(): void {
    for (const stay of this.line.filter(({ hasEntered }) => !hasEntered)) stay.leave();
  }

  /** @internal */
  join(stay: LoneStay): void {
    if (this.line.push(stay) === 1) this.holds = this.sources.map((source) => source.hold());
    stay.timer = setTimeout(() => this.letIn(stay), this.longest).unref();
    this.advance();
  }

  /** @internal */
  part(stay: LoneStay): void {
    const at = this.line.indexOf(stay);
    if (at === -1) return;
    this.line.splice(at, 1);
    clearTimeout(stay.timer);
    this.advance();
  }

  private get isTaken(): boolean {
    return this.line[0]?.isAlone ?? false;
  }

  private advance(): void {
    const [first] = this.line;
    if (!first) this.open();
    else if (!first.isAlone && this.neighbours === 0) this.letIn(first);
    if (!this.isTaken) for (const goOn of this.comingBack.splice(0)) goOn();
  }

  /** Also where neighbours have gone on for too long: nobody is to wait for ever. */
  private letIn(stay: LoneStay): void {
    clearTimeout(stay.timer);
    stay.timer = setTimeout(() => this.part(stay), this.longest).unref();
    stay.arrive();
  }

  private open(): void {
    for (const release of this.holds.splice(0)) release();
  }

  private async waitToComeBack(): Promise<void> {
    while (this.isTaken) await new Promise<void>((resolve) => this.comingBack.push(resolve));
    this.neighbours++;
  }
}

class LoneStay implements Stay {
  timer: NodeJS.Timeout | undefined;
  isAlone = false;
  hasEntered = false;
  entered!: Promise<boolean>;
  private settle!: (isAlone: boolean) => void;

  constructor(private readonly solitude: Solitude) {
    this.wait();
  }

  enter(): void {
    // It has entered before its task is called.
  }

  leave(): void {
    this.settle(false);
    this.solitude.part(this);
    this.isAlone = false;
  }

  async comeBack(): Promise<void> {
    this.wait();
    await this.entered;
  }

  arrive(): void {
    this.isAlone = true;
    this.hasEntered = true;
    this.settle(true);
  }

  private wait(): void {
    this.entered = new Promise((resolve) => (this.settle = resolve));
    this.solitude.join(this);
  }
}
