import { setTimeout as sleep } from 'node:timers/promises';

/** Whether a condition became true within `timeout` ms; it is asked ten times a second. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, timeout: number): Promise<boolean> {
  const deadline = Date.now() + timeout;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() >= deadline) return false;
    await sleep(100);
  }
}
