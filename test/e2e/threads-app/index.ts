export * from 'nestjs-tasks';
export * from './app.module.js';
