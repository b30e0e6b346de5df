import { Logger } from '@nestjs/common';
import { findRefusal } from './refusals.js';

/** Time between two looks whether it is over, in ms. */
const LOOK_EVERY = 1_000;

/** Most reasons that are told of one outage, so that a server that fails in many ways does not fill the log. */
const MOST_LINES = 4;

interface Current {
  /** Milliseconds since the epoch. */
  since: number;
  kind: string;
  cause: string;
  told: Set<string>;
}

/**
 * Whether Redis does its part, as all connections of an engine notice it. However many notice, one line tells that it
 * began, and why, and one that it is over.
 */
export class Outage {
  private current: Current | undefined;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private isClosed = false;

  constructor(
    /** Proves that Redis works; rejects where it does not. */
    private readonly look: () => Promise<unknown>,
    private readonly onOver: () => void,
    /** Says nothing before Redis was reached once: whoever waits for that tells it. */
    private isQuiet = false,
    private readonly logger = new Logger('BullEngine'),
  ) {}

  /** What is wrong at present, as a sentence. */
  get cause(): string | undefined {
    return this.current?.cause;
  }

  /** @param reason an error's message, or what was noticed */
  begin(reason: string): void {
    if (this.isClosed) return;
    const refusal = findRefusal(reason);
    const kind = refusal?.code ?? 'away';
    if (this.current?.kind !== kind) {
      const cause = refusal ? `Redis refuses its work (${reason}). ${refusal.advice}` : `Redis is away (${reason}).`;
      const { since, told } = this.current ?? { since: Date.now(), told: new Set<string>() };
      this.current = { since, kind, cause, told };
      this.tell(this.current);
    }
    this.lookLater();
  }

  /** As `begin`, where nobody knows a better reason. */
  suspect(reason: string): void {
    if (!this.current) this.begin(reason);
  }

  /** Looks whether it is over. */
  mayBeOver(): void {
    if (!this.current) this.isQuiet = false;
    else this.looking ??= this.lookOnce();
  }

  /** Looks for the end no more, and says no more. */
  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private lookLater(): void {
    if (this.isClosed) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.mayBeOver();
    }, LOOK_EVERY).unref();
  }

  private async lookOnce(): Promise<void> {
    try {
      await this.look();
      this.end();
    } catch {
      // Why is told where it was noticed.
      this.lookLater();
    } finally {
      this.looking = undefined;
    }
  }

  private tell({ cause, kind, told }: Current): void {
    if (this.isQuiet || told.has(kind) || told.size === MOST_LINES) return;
    told.add(kind);
    this.logger.error(`${cause} enqueue() rejects with EngineUnavailableError; workers go on when it is back.`);
  }

  private end(): void {
    if (!this.current || this.isClosed) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    const { since, told } = this.current;
    this.current = undefined;
    this.isQuiet = false;
    if (told.size > 0) this.logger.log(`Redis is back after ${Math.round((Date.now() - since) / 1000)} s.`);
    this.onOver();
  }
}
