// `npm run bench`: builds the library and the bench where they are not fresh, then runs the bench.
import { runCompiled } from '../support/run-compiled.mjs';

await runCompiled('bench');
