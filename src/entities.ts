// Every entity, as an explicit list; a test fails when an `*-entity.ts` file is missing here.
import { Agent, AgentVersion, Deployment } from './agents/agent-entity.ts';
import { Approval, ApprovalApprover, ApprovalComment, ApprovalDelegation, ApprovalVote } from './approvals/approval-entity.ts';
import { AuditEvent } from './audit/audit-entity.ts';
import { EventDelivery, EventSink } from './eventbus/event-sink-entity.ts';
import { ExecutionEvent, StreamEpoch } from './events/event-entity.ts';
import { Attempt, Execution, ExecutionLabel, Signal, Step } from './executions/execution-entity.ts';
import { KillSwitch } from './killswitches/kill-switch-entity.ts';
import { BulkOperation, ConcurrencyLimit } from './queues/queue-entity.ts';
import { DataGrant } from './datagrants/data-grant-entity.ts';
import { Decision, Policy, PolicyVersion } from './policies/policy-entity.ts';
import { RateCounter, RateEntry } from './gate/rate-entity.ts';
import { PolicySimulation, SimulationChange } from './simulations/simulation-entity.ts';
import { ApiKey, Principal, RoleGrant, TeamMember } from './principals/principal-entity.ts';
import { Runner } from './runner/runner-entity.ts';
import { Environment, Project, Team, Tenant } from './tenants/tenant-entity.ts';
import { ToolCall } from './toolcalls/tool-call-entity.ts';
import { RemoteServer, RemoteTool, ToolApproval, ToolDefinition, ToolOverrideRow } from './tools/tool-entity.ts';
import { Webhook, WebhookDelivery } from './webhooks/webhook-entity.ts';

export const entities = [
  Tenant,
  Project,
  Environment,
  Team,
  Principal,
  TeamMember,
  RoleGrant,
  ApiKey,
  Agent,
  AgentVersion,
  Deployment,
  ToolDefinition,
  ToolApproval,
  RemoteServer,
  RemoteTool,
  ToolOverrideRow,
  ToolCall,
  Policy,
  PolicyVersion,
  Decision,
  DataGrant,
  RateCounter,
  RateEntry,
  PolicySimulation,
  SimulationChange,
  KillSwitch,
  Approval,
  ApprovalApprover,
  ApprovalVote,
  ApprovalDelegation,
  ApprovalComment,
  Webhook,
  WebhookDelivery,
  EventSink,
  EventDelivery,
  AuditEvent,
  Execution,
  ExecutionLabel,
  Step,
  Attempt,
  Signal,
  ConcurrencyLimit,
  BulkOperation,
  ExecutionEvent,
  StreamEpoch,
  Runner,
];
