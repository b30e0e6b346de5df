import { PayloadCodecError } from './errors.js';

/**
 * Encodes arguments, results and progress values before they are stored, and decodes what was stored, for example to
 * encrypt it. Either may answer a promise; one that is not settled within 30 s counts as rejected. What `decode` throws
 * fails the job at once.
 */
export interface PayloadCodec {
  /** Answers any text for a JSON text. */
  encode(json: string): string | Promise<string>;
  /** Answers the JSON text, or throws where it cannot. */
  decode(data: string): string | Promise<string>;
}

/**
 * How encoded data is stored: an object of this one field, so that it is JSON as Bull's tools want it, and nothing that
 * was stored without a codec is taken for it.
 */
const FIELD = 'nestjs-tasks:encoded';
const HEAD = `{"${FIELD}":`;

/** In milliseconds: a codec that never answers would keep its job's place for ever. */
const ANSWERS_WITHIN = 30_000;

export function isEncoded(stored: string): boolean {
  return stored.startsWith(HEAD);
}

/**
 * @param what names the data in the error, e.g. `the result of job 7`
 * @throws PayloadCodecError where the codec throws, or answers no text
 */
export async function encodeWith(codec: PayloadCodec, json: string, what: string): Promise<string> {
  let data: unknown;
  try {
    data = await inTime(codec.encode(json));
  } catch (cause) {
    throw new PayloadCodecError(`The codec cannot encode ${what}: ${reasonOf(cause)}`, { cause });
  }
  if (typeof data === 'string') return `${HEAD}${JSON.stringify(data)}}`;
  throw new PayloadCodecError(
    `The codec cannot encode ${what}: encode() answered ${typeof data}. Make it answer a text.`,
  );
}

/**
 * Answers what is not encoded as it is.
 *
 * @param codec absent: only what is not encoded can be read
 * @throws PayloadCodecError where the codec throws or answers no text, and where there is none
 */
export async function decodeWith(codec: PayloadCodec | undefined, stored: string, what: string): Promise<string> {
  if (!isEncoded(stored)) return stored;
  if (!codec) throw missingCodec(what);
  let json: unknown;
  try {
    json = await inTime(codec.decode(dataOf(stored)));
  } catch (cause) {
    throw new PayloadCodecError(
      `The codec cannot decode ${what}: ${reasonOf(cause)}. Give it the key that this was encoded with; where the job ` +
        `has failed, start it afresh by retry() then.`,
      { cause },
    );
  }
  if (typeof json === 'string') return json;
  throw new PayloadCodecError(
    `The codec cannot decode ${what}: decode() answered ${typeof json}. Make it answer a text.`,
  );
}

export function missingCodec(what: string): PayloadCodecError {
  const subject = what[0].toUpperCase() + what.slice(1);
  return new PayloadCodecError(
    `${subject} cannot be read: stored through a codec, and this application has none. ` +
      'Give TasksModule.forRoot() the codec of the application that enqueued the job.',
  );
}

function dataOf(stored: string): string {
  const data = (JSON.parse(stored) as Record<string, unknown>)[FIELD];
  if (typeof data === 'string') return data;
  throw new TypeError('what is stored is not what a codec answered');
}

function inTime<T>(answer: T | Promise<T>): T | Promise<T> {
  if (!(answer instanceof Promise)) return answer;
  return new Promise((resolve, reject) => {
    const late = new Error(`it has not answered for ${ANSWERS_WITHIN} ms`);
    const timer = setTimeout(() => reject(late), ANSWERS_WITHIN).unref();
    void answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
