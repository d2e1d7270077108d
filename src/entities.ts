// Every entity, as an explicit list; a test fails when an `*-entity.ts` file is missing here.
import { Agent, AgentVersion, Deployment } from './agents/agent-entity.ts';
import { Approval } from './approvals/approval-entity.ts';
import { ExecutionEvent, StreamEpoch } from './events/event-entity.ts';
import { Attempt, Execution, Signal, Step } from './executions/execution-entity.ts';
import { BulkOperation, ConcurrencyLimit } from './queues/queue-entity.ts';
import { Decision, Policy, PolicyVersion } from './policies/policy-entity.ts';
import { ApiKey, Principal, RoleGrant, TeamMember } from './principals/principal-entity.ts';
import { Runner } from './runner/runner-entity.ts';
import { Environment, Project, Team, Tenant } from './tenants/tenant-entity.ts';
import { RemoteServer, RemoteTool, ToolApproval, ToolDefinition } from './tools/tool-entity.ts';

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
  Policy,
  PolicyVersion,
  Decision,
  Approval,
  Execution,
  Step,
  Attempt,
  Signal,
  ConcurrencyLimit,
  BulkOperation,
  ExecutionEvent,
  StreamEpoch,
  Runner,
];
