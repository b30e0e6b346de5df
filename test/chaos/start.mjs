// `npm run chaos`: builds the library and the suite where they are not fresh, then runs the suite.
import { runCompiled } from '../support/run-compiled.mjs';

await runCompiled('chaos');
