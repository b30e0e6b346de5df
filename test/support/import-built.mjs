// Imports the built package by its name, as an app does, and checks that its public classes and functions are there.
import * as tasks from 'nestjs-tasks';
import packageJson from 'nestjs-tasks/package.json' with { type: 'json' };

const functions = [
  'TasksModule',
  'Task',
  'Ctx',
  'TaskContext',
  'TaskQueue',
  'TaskHealth',
  'task',
  'Retry',
  'Snooze',
  'Discard',
];
const errors = ['TasksError', 'TasksConfigurationError', 'TaskFailedError', 'EngineUnavailableError'];

const missing = [...functions, ...errors].filter((name) => typeof tasks[name] !== 'function');
if (missing.length > 0) {
  console.error(`The built package does not export ${missing.join(', ')}.`);
  process.exit(1);
}
console.log(`${packageJson.name} ${packageJson.version} exports ${Object.keys(tasks).length} names.`);
