import * as errors from '../contracts/errors.js';

/** An error on its way between two threads: structured cloning would take its class, its code and its fields away. */
export interface CarriedError {
  name: string;
  message: string;
  stack?: string;
  /** The fields of its class, such as `jobId`. */
  fields: Record<string, unknown>;
  cause?: CarriedError;
}

/** By the name of the class, which is the error's name. */
const CLASSES: ReadonlyMap<string, typeof errors.TasksError> = new Map(
  Object.entries(errors) as [string, typeof errors.TasksError][],
);

const DEEPEST_CAUSE = 5;

/** Makes plain data of an error. */
export function carry(thrown: unknown, depth = 0): CarriedError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: String(thrown), fields: {} };
  const { name, message, stack, cause } = thrown;
  const { name: _name, cause: _cause, ...fields } = Object.fromEntries(Object.entries(thrown).filter(isPlain));
  const carried: CarriedError = { name, message, stack, fields };
  if (cause !== undefined && depth < DEEPEST_CAUSE) carried.cause = carry(cause, depth + 1);
  return carried;
}

/** Makes the error again, of its class where that is one of this library. */
export function uncarry({ name, message, stack, fields, cause }: CarriedError): Error {
  const error = new Error(message, cause && { cause: uncarry(cause) });
  const errorClass = CLASSES.get(name);
  if (errorClass) Object.setPrototypeOf(error, errorClass.prototype);
  // An error of this library has it as a field, others have it from their class.
  const enumerable = errorClass !== undefined;
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true, enumerable });
  return Object.assign(error, fields, { stack });
}

/** What another thread could not be given would keep the error from it. */
function isPlain([, value]: [string, unknown]): boolean {
  return typeof value !== 'function' && typeof value !== 'symbol' && (typeof value !== 'object' || isJson(value));
}

function isJson(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
