/** Something that can tell what keeps it from its work, each problem in a sentence. */
export interface HealthPart {
  problems(): readonly string[] | Promise<readonly string[]>;
}

/** What `TaskHealth.ready()` answers. */
export interface TaskReadiness {
  ready: boolean;
  /** Each in a sentence; empty when ready. */
  problems: readonly string[];
}

/**
 * Tells whether this process can do its part, for the readiness probe of a load balancer.
 *
 * @example
 * ```ts
 * @Controller('health')
 * export class HealthController {
 *   constructor(private readonly tasks: TaskHealth) {}
 *
 *   @Get('ready')
 *   async ready() {
 *     const { ready, problems } = await this.tasks.ready();
 *     if (!ready) throw new ServiceUnavailableException(problems);
 *     return { ready };
 *   }
 * }
 * ```
 */
export class TaskHealth {
  constructor(private readonly parts: readonly HealthPart[]) {}

  /**
   * Looks whether the engine can be reached and lets jobs be written, and whether this process's workers run. False
   * while the app boots and from the moment it begins to shut down. Answers within a second and never rejects.
   */
  async ready(): Promise<TaskReadiness> {
    const found = await Promise.all(this.parts.map(askPart));
    const problems = found.flat();
    return { ready: problems.length === 0, problems };
  }
}

async function askPart(part: HealthPart): Promise<readonly string[]> {
  try {
    return await part.problems();
  } catch (error) {
    return [`It is not known whether all is well: ${error instanceof Error ? error.message : String(error)}`];
  }
}
