// Every migration in order, as an explicit list (written by `npm run generate`).
import { Migration20261121000001Initial } from './20261121000001-initial.ts';
import { Migration20261121000002Functions } from './20261121000002-functions.ts';
import { Migration20261121065435_executions } from './20261121065435-executions.ts';
import { Migration20261121070441_queue } from './20261121070441-queue.ts';
import { Migration20261121070808_remote_tools } from './20261121070808-remote-tools.ts';
import { Migration20261121071242_http_requests } from './20261121071242-http-requests.ts';
import { Migration20261121085356_statements } from './20261121085356-statements.ts';
import { Migration20261121091620_governance } from './20261121091620-governance.ts';
import { Migration20261121092627_decisions } from './20261121092627-decisions.ts';
import { Migration20261121093154_later } from './20261121093154-later.ts';
import { Migration20261121093324_votes } from './20261121093324-votes.ts';
import { Migration20261121100001_halted } from './20261121100001-halted.ts';
import { Migration20261121101429_toolcalls } from './20261121101429-toolcalls.ts';
import { Migration20261121120814_fallback } from './20261121120814-fallback.ts';
import { Migration20261121121936_tool_costs } from './20261121121936-tool-costs.ts';
import { Migration20261121122031_audit } from './20261121122031-audit.ts';
import { Migration20261121132905_lines } from './20261121132905-lines.ts';
import { Migration20261121145751_eventbus } from './20261121145751-eventbus.ts';
import { Migration20261121160326_reads } from './20261121160326-reads.ts';
import { Migration20261121175745_judged } from './20261121175745-judged.ts';
import { Migration20261121180008_tenants_archived } from './20261121180008-tenants-archived.ts';
import { Migration20261121183400_decided } from './20261121183400-decided.ts';

export const migrations = [
  { name: '20261121000001-initial', class: Migration20261121000001Initial },
  { name: '20261121000002-functions', class: Migration20261121000002Functions },
  { name: '20261121065435-executions', class: Migration20261121065435_executions },
  { name: '20261121070441-queue', class: Migration20261121070441_queue },
  { name: '20261121070808-remote-tools', class: Migration20261121070808_remote_tools },
  { name: '20261121071242-http-requests', class: Migration20261121071242_http_requests },
  { name: '20261121085356-statements', class: Migration20261121085356_statements },
  { name: '20261121091620-governance', class: Migration20261121091620_governance },
  { name: '20261121092627-decisions', class: Migration20261121092627_decisions },
  { name: '20261121093154-later', class: Migration20261121093154_later },
  { name: '20261121093324-votes', class: Migration20261121093324_votes },
  { name: '20261121100001-halted', class: Migration20261121100001_halted },
  { name: '20261121101429-toolcalls', class: Migration20261121101429_toolcalls },
  { name: '20261121120814-fallback', class: Migration20261121120814_fallback },
  { name: '20261121121936-tool-costs', class: Migration20261121121936_tool_costs },
  { name: '20261121122031-audit', class: Migration20261121122031_audit },
  { name: '20261121132905-lines', class: Migration20261121132905_lines },
  { name: '20261121145751-eventbus', class: Migration20261121145751_eventbus },
  { name: '20261121160326-reads', class: Migration20261121160326_reads },
  { name: '20261121175745-judged', class: Migration20261121175745_judged },
  { name: '20261121180008-tenants-archived', class: Migration20261121180008_tenants_archived },
  { name: '20261121183400-decided', class: Migration20261121183400_decided },
];
