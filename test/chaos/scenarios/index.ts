import { deploy } from './deploy.js';
import { kills } from './kills.js';
import { many } from './many.js';
import { network } from './network.js';
import { pills } from './pills.js';
import { redisKills } from './redis-kills.js';
import type { Scenario } from './scenario.js';
import { schedules } from './schedules.js';
import { shutdowns } from './shutdowns.js';

/** In the order of the table. */
export const SCENARIOS: readonly Scenario[] = [kills, redisKills, network, shutdowns, deploy, pills, many, schedules];
