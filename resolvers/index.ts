// Every file of root fields, as an explicit list; a test fails when one is missing.
import './tenant.ts';
import './principal.ts';
import './tool-server.ts';
import './tool.ts';
import './agent.ts';
import './data-grant.ts';
import './kill-switch.ts';
import './policy.ts';
import './decision.ts';
import './approval.ts';
import './approval-comment.ts';
import './execution.ts';
import './replay.ts';
import './comparison.ts';
import './execution-control.ts';
import './queue.ts';
