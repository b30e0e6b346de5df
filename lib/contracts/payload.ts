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
  const issues: { path: string; message: string }[] = [];
  try {
    inspect(value, root, [], issues);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    issues.splice(0, Infinity, { path: root, message: 'it is nested too deeply; send it flat, or as a text' });
  }
  if (issues.length > 0) {
    const list = issues.map(({ path, message }) => `${path || 'the value'}: ${message}`).join('; ');
    throw new InvalidPayloadError(`${where} cannot be sent as JSON. ${list}`, issues);
  }
  return JSON.stringify(value) ?? 'null';
}

type Issues = { path: string; message: string }[];

/** Walks the value; `ancestors` are the objects that contain it, so that a circle is noticed. */
function inspect(value: unknown, path: string, ancestors: object[], issues: Issues): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return;
    case 'number':
      if (!Number.isFinite(value)) issues.push({ path, message: `${value} would become null; send text or null` });
      return;
    case 'bigint':
      issues.push({ path, message: 'a BigInt has no JSON form; send String(value)' });
      return;
    case 'function':
    case 'symbol':
      issues.push({ path, message: `a ${typeof value} cannot be sent; send data that the task can act on` });
      return;
    case 'object':
      if (value !== null) inspectObject(value, path, ancestors, issues);
  }
}

function inspectObject(value: object, path: string, ancestors: object[], issues: Issues): void {
  if (ancestors.includes(value)) {
    issues.push({ path, message: 'the value contains itself; send an id instead' });
    return;
  }
  const remedy = refusal(value);
  if (remedy) {
    issues.push({ path, message: remedy });
    return;
  }
  ancestors.push(value);
  if (Array.isArray(value)) {
    // Not by forEach, which passes by what was never set.
    for (let index = 0; index < value.length; index++) {
      const place = `${path}[${index}]`;
      const item: unknown = value[index];
      if (item === undefined) issues.push({ path: place, message: 'undefined in a list would become null; send null' });
      else inspect(item, place, ancestors, issues);
    }
  } else {
    for (const [key, item] of Object.entries(value)) inspect(item, path ? `${path}.${key}` : key, ancestors, issues);
  }
  ancestors.pop();
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
