// Every file of types, as an explicit list; a test fails when one is missing.
import './scalars.ts';
import './error.ts';
import './node.ts';
import './tenant.ts';
import './principal.ts';
import './principal-inputs.ts';
import './viewer.ts';
import './tool-server.ts';
import './tool.ts';
import './agent.ts';
import './failure.ts';
import './event.ts';
import './execution.ts';
import './policy.ts';
import './decision.ts';
import './approval.ts';
import './stream.ts';
