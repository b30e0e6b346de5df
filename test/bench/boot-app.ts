// Boots an app with many task methods and prints how long that took: `node boot-app.js with|without <tasks>`.
import { Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const [variant, tasks] = process.argv.slice(2);
const METHODS = 10;

const importedAt = performance.now();
const library = variant === 'with' ? await import('nestjs-tasks') : undefined;
const bootedAt = performance.now();

@Module({
  imports: library ? [library.TasksModule.forRoot()] : [],
  providers: Array.from({ length: Math.ceil(Number(tasks) / METHODS) }, (_, index) => createProvider(index)),
})
class BootModule {}

const app = await NestFactory.createApplicationContext(BootModule, { logger: false });
const readyAt = performance.now();
await app.close();
console.log(JSON.stringify({ boot: readyAt - bootedAt, import: bootedAt - importedAt }));

/** A class with ten methods, marked as tasks where the library is there. */
function createProvider(index: number): Type {
  const name = `Tasks${index}`;
  const Provider = { [name]: class {} }[name] as Type;
  const prototype = Provider.prototype as object;
  Injectable()(Provider);
  for (let method = 0; method < METHODS; method++) {
    const key = `run${method}`;
    Object.defineProperty(prototype, key, {
      value: async (data: unknown) => data,
      writable: true,
      configurable: true,
    });
    library?.Task({ attempts: 2, timeout: '30s' })(prototype, key, Object.getOwnPropertyDescriptor(prototype, key)!);
  }
  return Provider;
}
