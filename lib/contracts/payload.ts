import { types } from 'node:util';
import { InvalidPayloadError } from './errors.js';

/**
 * Writes a value as JSON, refusing what would come out of it as something else.
 *
 * @param where names the value in the error, e.g. `Arguments of MailTasks.sendEmail`
 * @param root begins each path in the error, e.g. `arguments` for `arguments[0].at`
 * @throws InvalidPayloadError naming each place and the way out
 */
export function encodePayload(value: unknown, where: string, root = ''): string {
  const inspection = new Inspection(root);
  let { issues } = inspection;
  try {
    inspection.inspect(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    issues = [{ path: root, message: 'it is nested too deeply; send it flat, or as a text' }];
  }
  if (issues.length > 0) {
    const list = issues.map(({ path, message }) => `${path || 'the value'}: ${message}`).join('; ');
    throw new InvalidPayloadError(`${where} cannot be sent as JSON. ${list}`, issues);
  }
  return JSON.stringify(value) ?? 'null';
}

/** A walk through a value. Paths are made where there is something to say, since nothing is wrong with most values. */
class Inspection {
  readonly issues: { path: string; message: string }[] = [];
  /** From the root to where the walk is. */
  private readonly keys: (string | number)[] = [];
  /** The objects that contain the present value, so that a circle is noticed. */
  private readonly ancestors: object[] = [];

  constructor(private readonly root: string) {}

  inspect(value: unknown): void {
    switch (typeof value) {
      case 'string':
      case 'boolean':
      case 'undefined':
        return;
      case 'number':
        if (!Number.isFinite(value)) this.refuse(`${value} would become null; send text or null`);
        return;
      case 'bigint':
        this.refuse('a BigInt has no JSON form; send String(value)');
        return;
      case 'function':
      case 'symbol':
        this.refuse(`a ${typeof value} cannot be sent; send data that the task can act on`);
        return;
      case 'object':
        if (value !== null) this.inspectObject(value);
    }
  }

  private inspectObject(value: object): void {
    if (this.ancestors.includes(value)) {
      this.refuse('the value contains itself; send an id instead');
      return;
    }
    const remedy = refusal(value);
    if (remedy) {
      this.refuse(remedy);
      return;
    }
    this.ancestors.push(value);
    if (Array.isArray(value)) {
      // Not by forEach, which passes by what was never set.
      for (let index = 0; index < value.length; index++) this.inspectItem(value[index], index);
    } else {
      for (const key of Object.keys(value)) this.inspectAt(key, (value as Record<string, unknown>)[key]);
    }
    this.ancestors.pop();
  }

  private inspectItem(item: unknown, index: number): void {
    if (item !== undefined) return this.inspectAt(index, item);
    this.keys.push(index);
    this.refuse('undefined in a list would become null; send null');
    this.keys.pop();
  }

  private inspectAt(key: string | number, value: unknown): void {
    this.keys.push(key);
    this.inspect(value);
    this.keys.pop();
  }

  private refuse(message: string): void {
    let path = this.root;
    for (const key of this.keys) path += typeof key === 'number' ? `[${key}]` : path ? `.${key}` : key;
    this.issues.push({ path, message });
  }
}

/** Why an object cannot be sent; undefined for lists, plain objects and instances of classes that are plain data. */
function refusal(value: object): string | undefined {
  if (value instanceof Date) return 'a Date would arrive as text; send value.toISOString() or value.getTime()';
  if (value instanceof Map) return 'a Map would arrive empty; send [...value] or Object.fromEntries(value)';
  if (value instanceof Set) return 'a Set would arrive empty; send [...value]';
  if (value instanceof Promise) return 'a Promise would arrive empty; await it first';
  if (value instanceof Error) return 'an Error would arrive empty; send its message';
  if (types.isBoxedPrimitive(value)) return 'a boxed value would arrive as a plain one; send value.valueOf()';
  if (value instanceof RegExp) return 'a RegExp would arrive empty; send value.source';
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `binary data has no JSON form; send text (Buffer.from(value).toString('base64')) or the name of a file`;
  }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    return `a ${value.constructor?.name ?? 'value'} with toJSON() would arrive as something else; send value.toJSON()`;
  }
  return undefined;
}
