import type { StandardSchemaV1 } from '@standard-schema/spec';
import { mergeCallOptions, validateEnqueueOptions } from './call-options.js';
import type { EnqueueOptions } from './task.js';
import type { TaskContext } from './task-context.js';

declare const RESULT: unique symbol;

/** What JSON makes of a value: dates become strings, functions go. */
export type Json<T> = T extends Date
  ? string
  : T extends string | number | boolean | null | undefined | void
    ? T
    : T extends (...args: never[]) => unknown
      ? never
      : T extends readonly unknown[]
        ? { -readonly [K in keyof T]: Json<T[K]> }
        : T extends object
          ? { [K in keyof T as T[K] extends (...args: never[]) => unknown ? never : K]: Json<T[K]> }
          : T;

/** One call, described and not sent. Immutable; never a thenable. */
export interface Signature<R> {
  readonly [RESULT]?: R;
  readonly task: string;
  /**
   * A copy with more options; what is set here wins over the task's.
   *
   * @throws InvalidOptionsError naming the option, the cause and the fix
   */
  with(options: EnqueueOptions): Signature<R>;
}

/** A task as a function that makes a signature and sends nothing. */
export interface TaskRef<A extends unknown[], R> {
  (...args: A): Signature<R>;
  readonly taskName: string;
}

type IsAny<T> = 0 extends 1 & T ? true : false;

/** A method's parameters without a trailing `TaskContext`, which is not part of the call. */
export type CallArgs<A extends unknown[]> = A extends [...infer Head, infer Last]
  ? IsAny<Last> extends true
    ? A
    : [Last] extends [TaskContext]
      ? Head
      : A
  : A extends [...infer Head, (infer Last)?]
    ? IsAny<Last> extends true
      ? A
      : [Exclude<Last, undefined>] extends [TaskContext]
        ? Head
        : A
    : A;

/** Each method of a class as a function that makes a signature. */
export type TaskRefs<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? TaskRef<CallArgs<A>, Awaited<R>>
    : never;
};

/** The signature of one call, as made by a `TaskRef`. */
export class TaskSignature<R> implements Signature<R> {
  declare readonly [RESULT]?: R;

  constructor(
    readonly task: string,
    readonly args: readonly unknown[],
    readonly options: Readonly<EnqueueOptions>,
    /** A contract may live in another code base, so its name is never checked against this one's tasks. */
    readonly isContract: boolean,
    /** Of a contract; that of a task stands in its definition. */
    readonly schema?: StandardSchemaV1,
  ) {
    Object.freeze(this);
  }

  with(options: EnqueueOptions): TaskSignature<R> {
    validateEnqueueOptions(options, `with() on a call of ${this.task}`);
    const merged = mergeCallOptions(this.options, options);
    return new TaskSignature(this.task, this.args, merged, this.isContract, this.schema);
  }
}
