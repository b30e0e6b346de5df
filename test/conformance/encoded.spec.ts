import { encodeWith, isEncoded, type PayloadCodec } from '../../lib/contracts/codec.js';
import type { ActiveRun, EngineWorker, StartRun, WorkOptions } from '../../lib/contracts/engine.js';
import { EmbeddedEngine } from '../../lib/engines/embedded/embedded.engine.js';
import { EncodedEngine } from '../../lib/engines/encoded.engine.js';
import { EncodedRun } from '../../lib/runner/encoded-run.js';
import { describeEngine } from './describe-engine.js';

const codec: PayloadCodec = {
  encode: (json) => Buffer.from(json).toString('base64'),
  decode: async (data) => Buffer.from(data, 'base64').toString(),
};

/** Decodes and encodes what a worker runs, which is for the runner to do. */
class WorkedEngine extends EncodedEngine {
  override work(queue: string, options: WorkOptions, start: StartRun): EngineWorker {
    return super.work(queue, options, (job, slot): ActiveRun => {
      const args = isEncoded(job.args) ? decoded(job.args) : job.args;
      const encode = (json: string) => encodeWith(codec, json, 'the result');
      return new EncodedRun(start({ ...job, args }, slot), encode, (error) => {
        throw error;
      });
    });
  }
}

function decoded(stored: string): string {
  const [data] = Object.values(JSON.parse(stored) as Record<string, string>);
  return Buffer.from(data, 'base64').toString();
}

describeEngine('encoded', async ({ queues, keepStopped }) => {
  const engine = new WorkedEngine(new EmbeddedEngine({ queues, keepStopped }), codec);
  return { engine, dispose: () => engine.close() };
});
