import { describe, expect, it } from 'vitest';
import { findRefusal } from '../../../../lib/engines/bull/refusals.js';

describe('an answer of Redis', () => {
  it.each([
    ['OOM', `OOM command not allowed when used memory > 'maxmemory'. script: 1f2e, on @user_script:97.`],
    ['OOM', `ERR Error running script (call to f_1f2e): @user_script:97: -OOM command not allowed when used memory`],
    ['READONLY', `READONLY You can't write against a read only replica. script: 1f2e, on @user_script:97.`],
    ['WRONGPASS', 'WRONGPASS invalid username-password pair or user is disabled.'],
    ['NOAUTH', 'Ready check failed: NOAUTH Authentication required.'],
    ['BUSY', 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'],
    ['LOADING', 'LOADING Redis is loading the dataset in memory'],
    ['CLUSTERDOWN', 'CLUSTERDOWN Hash slot not served'],
  ])('that says %s is about the server as a whole, and there is something to do', (code, message) => {
    expect(findRefusal(message)).toEqual({ code, advice: expect.stringMatching(/^[A-Z].*\.$/) });
  });

  it.each([
    `WRONGTYPE Operation against a key holding the wrong kind of value`,
    `NOPERM this user has no permissions to run the 'info' command`,
    'ERR unknown command',
    'connect ECONNREFUSED 127.0.0.1:6379',
    'BUSYGROUP Consumer Group name already exists',
  ])('that says anything else is about one command: %s', (message) => {
    expect(findRefusal(message)).toBeUndefined();
  });
});
