/** What a method takes, as far as its calls need to know. */
export interface MethodParameters {
  /** Declared parameters; those with a default, the rest parameter and the context included. */
  readonly count: number;
  /** Whether the last parameter takes any number of arguments. */
  readonly rest: boolean;
  /** Index of the parameter that receives the `TaskContext`. */
  readonly context?: number;
}

/**
 * Counts the parameters of a method.
 *
 * The compiler's types say how many were declared; without them the text of the method does, because a function's
 * `length` ends before the first default. Only the text tells a rest parameter.
 */
export function readParameters(
  method: object,
  types: readonly unknown[] | undefined,
  context?: number,
): MethodParameters {
  const source = typeof method === 'function' ? Function.prototype.toString.call(method) : '';
  // The way of most methods, so that the boot does not read thousands of them.
  if (types && !source.includes('...')) return { count: types.length, rest: false, context };
  const text = readParameterList(source);
  const count = types?.length ?? Math.max(text.count, (method as { length?: number }).length ?? 0);
  return { count, rest: text.rest, context };
}

/** The arguments that a call sends: none beyond the parameters, and no trailing `undefined`. */
export function argumentsToSend(
  args: readonly unknown[],
  { count, rest, context }: MethodParameters,
): readonly unknown[] {
  let length = rest ? args.length : Math.min(args.length, context ?? count);
  while (length > 0 && args[length - 1] === undefined) length -= 1;
  return length === args.length ? args : args.slice(0, length);
}

/** The arguments that the method is called with: as many as it takes, and the context in its place. */
export function argumentsToPass(
  args: readonly unknown[],
  parameters: MethodParameters,
  context: unknown,
): readonly unknown[] {
  if (parameters.context === undefined) {
    return parameters.rest || args.length <= parameters.count ? args : args.slice(0, parameters.count);
  }
  const passed: unknown[] = args.slice(0, parameters.context);
  passed.length = parameters.context;
  passed.push(context);
  return passed;
}

const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;

/** What matters in a parameter list. Comments and texts come first, so that brackets and commas in them do not count. */
const TOKEN = new RegExp(
  `${COMMENT.source}|'(?:\\\\.|[^'\\\\])*'|"(?:\\\\.|[^"\\\\])*"|\`(?:\\\\[\\s\\S]|[^\`\\\\])*\`|\\.\\.\\.|[()[\\]{},]`,
  'g',
);

function readParameterList(source: string): { count: number; rest: boolean } {
  let depth = 0;
  let count = 0;
  let rest = false;
  /** Where the current parameter begins; -1 before the list, where a computed name may have brackets of its own. */
  let start = -1;
  const endParameter = (end: number) => {
    if (source.slice(start, end).replace(COMMENT, '').trim() !== '') count += 1;
    start = end + 1;
  };
  for (const { 0: token, index } of source.matchAll(TOKEN)) {
    if (token === '(' && start < 0 && depth === 0) start = index + 1;
    if ('([{'.includes(token)) depth += 1;
    if (')]}'.includes(token)) depth -= 1;
    if (start < 0) continue;
    if (depth === 0) {
      endParameter(index);
      break;
    }
    if (depth > 1) continue;
    if (token === '...') rest = true;
    if (token === ',') endParameter(index);
  }
  return { count, rest };
}
