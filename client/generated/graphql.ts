/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** Which agent to activate. */
export type ActivateAgentInput = {
  /** The agent. */
  agentId: string;
};

/** Who shall be in which team. */
export type AddTeamMemberInput = {
  /** Who shall be in it. */
  principalId: string;
  /** The team. */
  teamId: string;
};

/** Conditions that an agent must all satisfy; an absent one is satisfied by every agent. */
export type AgentFilter = {
  /** Archived ones too; they are left out otherwise. */
  includeArchived?: boolean | null | undefined;
  /** Whose name contains this text. */
  name?: string | null | undefined;
  /** In this project. */
  projectId?: string | null | undefined;
  /** In this status. */
  status?: AgentStatus | null | undefined;
  /** With this tag. */
  tag?: string | null | undefined;
  /** Of this team. */
  teamId?: string | null | undefined;
};

/** Whether an agent takes new executions. */
export type AgentStatus =
  /** Yes. */
  | 'ACTIVE'
  /** No longer: it is archived. */
  | 'DEPRECATED'
  /** Not yet: it was never activated. */
  | 'DRAFT'
  /** Not now: somebody paused it, with a reason. */
  | 'PAUSED';

/** The answer to a question of an approver. */
export type AnswerApprovalQuestionInput = {
  /** The question. */
  questionId: string;
  /** 1 to 4000 characters. */
  text: string;
};

/** A policy as a document, which says all of it. */
export type ApplyPolicyInput = {
  /** YAML or JSON as `policies/policy.schema.json` describes it; projects, environments, agents and teams by name. */
  document: string;
  /** The version of the policy of that name that you read; 0: there is none yet. Anything else is a conflict. */
  expectedVersion: number;
};

/** What was said about an approval. */
export type ApprovalCommentKind =
  /** The answer to a question. */
  | 'ANSWER'
  /** A remark to everybody. */
  | 'COMMENT'
  /** Somebody changed what will run. */
  | 'EDIT'
  /** Somebody put off the end. */
  | 'EXTENSION'
  /** What an approver wants to know of whoever asks. */
  | 'QUESTION';

/** What an approver can answer. */
export type ApprovalDecision =
  /** It may run, exactly as shown. */
  | 'APPROVE'
  /** It must not run. */
  | 'REJECT';

/** One of several decisions. */
export type ApprovalDecisionItem = {
  /** The approval. */
  approvalId: string;
  /** Approve or reject. */
  decision: ApprovalDecision;
  /** Digest of what you were shown; this one is refused when the approval is for something else. */
  expectedDigest?: string | null | undefined;
  /** Repeating the same decision with the same key gives the same answer instead of a conflict. */
  idempotencyKey?: string | null | undefined;
  /** Why; at most 4000 characters. */
  note?: string | null | undefined;
};

/** Conditions that a delegation must all satisfy. */
export type ApprovalDelegationFilter = {
  /** True: neither revoked nor over; false: one of the two. */
  isOpen?: boolean | null | undefined;
  /** From or to this principal. */
  principalId?: string | null | undefined;
};

/** Conditions that an approval must all satisfy; an absent one is satisfied by every approval. */
export type ApprovalFilter = {
  /** Of this agent. */
  agentId?: string | null | undefined;
  /** True: only those that you may approve or reject now, as a delegate, too; false: only the others, decided ones included. */
  canDecide?: boolean | null | undefined;
  /** In this environment. */
  environmentId?: string | null | undefined;
  /** Of this execution. */
  executionId?: string | null | undefined;
  /** Of one of these risk classes. */
  risk?: Array<RiskClass> | null | undefined;
  /** In one of these statuses. */
  status?: Array<ApprovalStatus> | null | undefined;
};

/** Which approvals, and which period: 30 days up to now when absent, at most 366. */
export type ApprovalMetricsFilter = {
  /** Of this agent. */
  agentId?: string | null | undefined;
  /** In this environment. */
  environmentId?: string | null | undefined;
  /** In this project. */
  projectId?: string | null | undefined;
  /** Where the period begins. */
  since?: string | null | undefined;
  /** Where it ends. */
  until?: string | null | undefined;
};

/** What asks for an approval. */
export type ApprovalSource =
  /** A policy that requires it for a tool call. */
  | 'POLICY'
  /** An approval step of the definition. */
  | 'STEP';

/** Where an approval stands. */
export type ApprovalStatus =
  /** Granted, once, for exactly what was shown. */
  | 'APPROVED'
  /** The execution ended before anybody decided. */
  | 'CANCELLED'
  /** Nobody decided in time; the step is blocked. */
  | 'EXPIRED'
  /** Waits for a decision. */
  | 'PENDING'
  /** Refused; the step is blocked. */
  | 'REJECTED';

/** Conditions on the approvals to watch. Not by status: decisions are part of the stream. */
export type ApprovalStreamFilter = {
  /** Of this agent. */
  agentId?: string | null | undefined;
  /** In this environment. */
  environmentId?: string | null | undefined;
  /** Of this execution. */
  executionId?: string | null | undefined;
  /** Of one of these risk classes. */
  risk?: Array<RiskClass> | null | undefined;
};

/** Which description of which tool to accept. */
export type ApproveToolInput = {
  /** The digest that you looked at; refused when the tool has changed again since. */
  digest: string;
  /** Full name, `server.name`. */
  tool: string;
};

/** Whom a stage asks. */
export type ApproverGroupKind =
  /** Everybody with the permission to decide there. */
  | 'ANYBODY'
  /** One person. */
  | 'PRINCIPAL'
  /** Everybody with a role there. */
  | 'ROLE'
  /** The people of a team. */
  | 'TEAM';

/** Which agent to archive. */
export type ArchiveAgentInput = {
  /** The agent. */
  agentId: string;
};

/** Which tenant to close, and why. */
export type ArchiveTenantInput = {
  /** Shown where its work stops; at most 1,000 characters. */
  reason?: string | null | undefined;
  /** The tenant; never your own. */
  tenantId: string;
};

/** A question to whoever asks for an approval. */
export type AskAboutApprovalInput = {
  /** The approval. */
  approvalId: string;
  /** 1 to 4000 characters. */
  question: string;
};

/** How one try of an effect stands. */
export type AttemptStatus =
  /** Its process ended, or the execution did; nothing of it was committed. */
  | 'ABANDONED'
  /** It failed. */
  | 'FAILED'
  /** Under way. */
  | 'RUNNING'
  /** Its result was committed. */
  | 'SUCCEEDED';

/** Conditions that an audit event must all satisfy. */
export type AuditEventFilter = {
  /** Of one of these mutations, by name. */
  actions?: Array<string> | null | undefined;
  /** Of this person or machine. */
  principalId?: string | null | undefined;
  /** In this project. */
  projectId?: string | null | undefined;
  /** At or after this moment. */
  since?: string | null | undefined;
  /** About this thing, of any type. */
  subjectId?: string | null | undefined;
  /** About what was called exactly this, such as the full name of a tool. */
  subjectName?: string | null | undefined;
  /** Of this trace. */
  traceId?: string | null | undefined;
  /** Before this moment. */
  until?: string | null | undefined;
};

/** A call that an agent wants to make, and on whose behalf. */
export type AuthorizeToolCallInput = {
  /** The agent: its definition says which tools it may use. */
  agentId: string;
  /** What it would be called with: an object; empty when absent. */
  arguments?: unknown;
  /** Estimated cost, whole millionths of a US dollar. Of this and what `setToolOverride` says of the tool the higher one holds. */
  costMicroUsd?: number | null | undefined;
  /** Where it runs. */
  environmentId: string;
  /** Names the call, such as the id that the model gave it. The same key with the same request is the same call. */
  idempotencyKey: string;
  /** An object of texts that policies can look at. */
  labels?: unknown;
  /** A name of the agent’s run, to find its calls by; at most 200 characters. */
  session?: string | null | undefined;
  /** `server.name` of a tool server; `builtin.<name>` or `custom.<name>` for what the agent’s own loop has. */
  tool: string;
  /** A version that is or was deployed there, instead of the live one. */
  version?: string | null | undefined;
};

/** How an operation on many executions stands. */
export type BulkStatus =
  /** Over. */
  | 'FINISHED'
  /** Accepted; it has not begun. */
  | 'QUEUED'
  /** Under way; its numbers grow. */
  | 'RUNNING';

/** What to cancel, and why. */
export type CancelExecutionInput = {
  /** The execution. */
  executionId: string;
  /** Kept with the event; at most 1,000 characters. */
  reason?: string | null | undefined;
};

/** Which executions to cancel, and why. */
export type CancelExecutionsInput = {
  /** With at least one condition. Of what it finds, those are cancelled that have not ended and that you may cancel. */
  filter: ExecutionFilter;
  /** Kept with each event; at most 1,000 characters. */
  reason?: string | null | undefined;
};

/** Which simulation to cancel. */
export type CancelSimulationInput = {
  /** The simulation. */
  simulationId: string;
};

/** What an agent must be allowed to do in order to call a tool. */
export type Capability =
  /** Runs programs or commands. */
  | 'EXECUTE'
  /** Tells people or other systems. */
  | 'NOTIFY'
  /** Looks at data. */
  | 'READ'
  /** Changes data. */
  | 'WRITE';

/** What happens to a line. */
export type ChangeLineKind =
  /** It is put in. */
  | 'ADDED'
  /** It stays. */
  | 'CONTEXT'
  /** Lines that stay are left out here. */
  | 'GAP'
  /** It is taken out. */
  | 'REMOVED';

/** Whether a runner sends calls to a tool server. */
export type CircuitState =
  /** It does. */
  | 'CLOSED'
  /** One trial call is under way. */
  | 'HALF_OPEN'
  /** It does not, for 5 seconds at first and up to a minute. */
  | 'OPEN';

/** A remark about an approval. */
export type CommentOnApprovalInput = {
  /** The approval. */
  approvalId: string;
  /** 1 to 4000 characters. */
  text: string;
};

/** Which of the two executions has it. */
export type ComparisonPresence =
  /** Both have it. */
  | 'BOTH'
  /** Only the first. */
  | 'ONLY_A'
  /** Only the second. */
  | 'ONLY_B';

/** A new agent: a draft without versions. */
export type CreateAgentInput = {
  /** For people; at most 2,000 characters. */
  description?: string | null | undefined;
  /** Lower-case slug, unique in the project; definitions carry it, so it never changes. */
  name: string;
  /** Whom to ask; at most 200 characters. */
  owner?: string | null | undefined;
  /** The project it belongs to. */
  projectId: string;
  /** At most 50 words of at most 63 characters to find it by; policies may name them. */
  tags?: Array<string> | null | undefined;
  /** The team it belongs to: roles on the team cover it. */
  teamId?: string | null | undefined;
};

/** A new API key. */
export type CreateApiKeyInput = {
  /** It reaches nothing outside this environment. */
  environmentId?: string | null | undefined;
  /** When it stops working; never by itself when absent. */
  expiresAt?: string | null | undefined;
  /** For people: 1 to 200 printable characters. */
  name: string;
  /** Whose; your own when absent. For another principal you need `key.manage`. */
  principalId?: string | null | undefined;
  /** It never does more than these; the principal must hold them. */
  roles: Array<Role>;
};

/** A new environment. */
export type CreateEnvironmentInput = {
  /** What it is for. */
  kind: EnvironmentKind;
  /** Unique in the project. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name: string;
  /** The project it belongs to. */
  projectId: string;
};

/** A new sink: a signed webhook. A tenant has at most 10; brokers are configured by the operator. */
export type CreateEventSinkInput = {
  /** It begins behind this cursor of `tenantEvents`; then leave out `from`. */
  after?: string | null | undefined;
  /** Only events of this environment. */
  environmentId?: string | null | undefined;
  /** Where it begins; NOW when absent. */
  from?: EventSinkStart | null | undefined;
  /** Or so long after the first attempt: 60 to 2592000; default 86400. */
  maxAgeSeconds?: number | null | undefined;
  /** An event is given up after so many attempts: 1 to 1000; default 50. */
  maxAttempts?: number | null | undefined;
  /** 1 to 100 characters, unique in the tenant. */
  name: string;
  /** Only events of this project. */
  projectId?: string | null | undefined;
  /** Only events of these types; all when absent or empty. */
  types?: Array<EventType> | null | undefined;
  /** http or https at a public address; redirects are not followed. */
  url: string;
};

/** A new policy. */
export type CreatePolicyInput = {
  /** More places, at most 50. */
  attachments?: Array<PolicyAttachmentInput> | null | undefined;
  /** What it is for. */
  description?: string | null | undefined;
  /** True when absent. */
  enabled?: boolean | null | undefined;
  /** What it decides. */
  kind: PolicyKind;
  /** `ENFORCE` when absent. */
  mode?: PolicyMode | null | undefined;
  /** Lower-case letters, digits and `-`; unique in the tenant. */
  name: string;
  /** `ALLOW` when absent. */
  onError?: PolicyFailureMode | null | undefined;
  /** Lower first, 0 to 10000; 100 when absent. */
  priority?: number | null | undefined;
  /** Everything at once when absent. */
  rollout?: PolicyRolloutInput | null | undefined;
  /** Rules as `policies/<kind>.schema.json` describes them. */
  rules: unknown;
  /** The whole tenant when absent. */
  scope?: PolicyScopeInput | null | undefined;
};

/** A new principal; it holds no role yet. */
export type CreatePrincipalInput = {
  /** For people to recognise a person by. */
  email?: string | null | undefined;
  /** With `subject`: binds a person to a token before the first sign-in. */
  issuer?: string | null | undefined;
  /** What kind of actor. */
  kind: PrincipalKind;
  /** Unique in the tenant. A person’s: up to 200 printable characters; else a lower-case slug. */
  name: string;
  /** What the issuer calls the person (`sub`). */
  subject?: string | null | undefined;
};

/** A new project. */
export type CreateProjectInput = {
  /** For people; at most 2,000 characters. */
  description?: string | null | undefined;
  /** Unique in the tenant. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name: string;
};

/** A new team. */
export type CreateTeamInput = {
  /** Unique in the tenant. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name: string;
};

/** A new tenant. */
export type CreateTenantInput = {
  /** Unique on this server. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name: string;
};

/** A new webhook; a tenant has at most 10. */
export type CreateWebhookInput = {
  /** What it is told of. */
  events: Array<WebhookEvent>;
  /** 1 to 100 characters, unique in the tenant. */
  name: string;
  /** http or https at a public address; redirects are not followed. */
  url: string;
};

/** Conditions that a grant of data must all satisfy. */
export type DataGrantFilter = {
  /** To this agent. */
  granteeAgentId?: string | null | undefined;
  /** True: in force. False: revoked. */
  inForce?: boolean | null | undefined;
  /** Of data that this agent declares. */
  ownerAgentId?: string | null | undefined;
};

/** Conditions that a dead letter must all satisfy. */
export type DeadLetterFilter = {
  /** Of this agent. */
  agentId?: string | null | undefined;
  /** With one of these failure codes, such as TOOL_ERROR or OUTCOME_UNKNOWN. */
  codes?: Array<string> | null | undefined;
  /** In this environment. */
  environmentId?: string | null | undefined;
  /** Of this project. */
  projectId?: string | null | undefined;
  /** Gave up at or after this moment. */
  since?: string | null | undefined;
  /** Gave up before this moment. */
  until?: string | null | undefined;
};

/** A decision about an approval. It is final. */
export type DecideApprovalInput = {
  /** The approval. */
  approvalId: string;
  /** Approve or reject. */
  decision: ApprovalDecision;
  /** Digest of what you were shown; refused as a conflict when the approval is for something else. */
  expectedDigest?: string | null | undefined;
  /** Repeating the same decision with the same key gives the same answer instead of a conflict. */
  idempotencyKey?: string | null | undefined;
  /** Why; at most 4000 characters. */
  note?: string | null | undefined;
};

/** Several decisions. Each stands for itself: one that is refused stops no other. */
export type DecideApprovalsInput = {
  /** 1 to 100 decisions about different approvals. */
  items: Array<ApprovalDecisionItem>;
  /** True: decides nothing and says of each whether it could be decided now. */
  preflight?: boolean | null | undefined;
};

/** What the gate or one policy answers. */
export type DecisionEffect =
  /** It may run. */
  | 'ALLOW'
  /** It waits until a moment that it names. */
  | 'DELAY'
  /** It is refused. */
  | 'DENY'
  /** It waits in line until a place is free. */
  | 'QUEUE'
  /** A person must approve exactly this first. */
  | 'REQUIRE_APPROVAL'
  /** It may run, with a warning. */
  | 'WARN';

/** Conditions that a decision must all satisfy; an absent one is satisfied by every decision. */
export type DecisionFilter = {
  /** About one of these actions. */
  action?: Array<GateAction> | null | undefined;
  /** Of this agent. */
  agentId?: string | null | undefined;
  /** With one of these outcomes. */
  effect?: Array<DecisionEffect> | null | undefined;
  /** In this environment. */
  environmentId?: string | null | undefined;
  /** Of this execution. */
  executionId?: string | null | undefined;
  /** About which this policy had something to say, observed or not. */
  policyId?: string | null | undefined;
  /** On behalf of this principal. */
  principalId?: string | null | undefined;
  /** In this project. */
  projectId?: string | null | undefined;
  /** Decided at this moment or later. */
  since?: string | null | undefined;
  /** About this step of the definition. */
  stepId?: string | null | undefined;
  /** About this tool, `server.name`. */
  tool?: string | null | undefined;
  /** Decided before this moment. */
  until?: string | null | undefined;
};

/** Who decides in whose place, and when. */
export type DelegateApprovalsInput = {
  /** Until when. */
  endsAt: string;
  /** Whose place; yours when absent. Another’s needs the permission principal.manage. */
  fromPrincipalId?: string | null | undefined;
  /** Why; at most 1,000 characters. */
  reason?: string | null | undefined;
  /** From when; now when absent or past. */
  startsAt?: string | null | undefined;
  /** The delegate: needs the permission approval.decide, too. */
  toPrincipalId: string;
};

/** Which environment to delete. */
export type DeleteEnvironmentInput = {
  /** The environment; nothing may ever have been deployed or run in it. */
  environmentId: string;
};

/** Which sink to remove. */
export type DeleteEventSinkInput = {
  /** The sink. */
  eventSinkId: string;
};

/** Which policy to end. */
export type DeletePolicyInput = {
  /** The policy. */
  policyId: string;
};

/** Which project to delete. */
export type DeleteProjectInput = {
  /** The project; nothing may be in it. */
  projectId: string;
};

/** Which team to delete. */
export type DeleteTeamInput = {
  /** The team; it may have neither members nor agents. */
  teamId: string;
};

/** Which webhook to remove. */
export type DeleteWebhookInput = {
  /** The webhook. */
  webhookId: string;
};

/** How a version became live. */
export type DeploymentKind =
  /** It was promoted. */
  | 'PROMOTE'
  /** It was returned to. */
  | 'ROLLBACK';

/** Which policy to switch off. */
export type DisablePolicyInput = {
  /** The policy. */
  policyId: string;
};

/** Whose credentials to end. */
export type DisablePrincipalInput = {
  /** The principal. */
  principalId: string;
};

/** How two executions went differently at a step. */
export type DivergenceKind =
  /** The gate decided otherwise. */
  | 'DECISION'
  /** It gave another output. */
  | 'OUTPUT'
  /** A branch chose another case. */
  | 'PATH'
  /** Only one of them has the step. */
  | 'PRESENCE'
  /** It ended, or stands, otherwise. */
  | 'STATUS';

/** What to run instead of what is asked for. It still has to be approved, by somebody else. */
export type EditApprovalInput = {
  /** The approval. */
  approvalId: string;
  /** All arguments, not only those that change. */
  arguments: unknown;
  /** Digest of what you were shown; refused as a conflict when it is another by now. */
  expectedDigest: string;
  /** Why; at most 4000 characters. */
  reason?: string | null | undefined;
};

/** Which policy to switch on. */
export type EnablePolicyInput = {
  /** The policy. */
  policyId: string;
};

/** Whose credentials shall work again. */
export type EnablePrincipalInput = {
  /** The principal. */
  principalId: string;
};

/** What to stop, and why. */
export type EngageKillSwitchInput = {
  /** With the scope TOOL: `files.write_file` or `files.*`; `http.request` is what http steps call. With DESTINATION: `api.example.com`, `*.example.com`, `10.0.0.7:8080`. */
  pattern?: string | null | undefined;
  /** Shown to everyone whose work stops; at most 1,000 characters. */
  reason: string;
  /** What to stop. */
  scope: KillSwitchScope;
  /** The project, environment or agent; with no other scope. */
  scopeId?: string | null | undefined;
};

/** What an environment is for; policies go by it. */
export type EnvironmentKind =
  /** For trying things out. */
  | 'DEVELOPMENT'
  /** For what counts. */
  | 'PRODUCTION'
  /** For rehearsing what production will do. */
  | 'STAGING';

/** Stable codes of expected failures. */
export type ErrorCode =
  /** A unique name, version or decision is already taken. */
  | 'CONFLICT'
  /** The history that the cursor points into no longer exists; start again without it. */
  | 'CURSOR_EXPIRED'
  /** Visible to you, but you lack the permission that the message names. */
  | 'FORBIDDEN'
  /** The idempotency key was used before with another input. */
  | 'IDEMPOTENCY_CONFLICT'
  /** The cursor is malformed or belongs to another list or stream. */
  | 'INVALID_CURSOR'
  /** The thing exists, but its status does not permit the operation. */
  | 'INVALID_STATE'
  /** A limit of this server was exceeded; the message names it. */
  | 'LIMIT_EXCEEDED'
  /** Absent, or not visible to you: the answer is the same. */
  | 'NOT_FOUND'
  /** Too much at once; nothing was done. Try again after the time that the answer names. */
  | 'RATE_LIMITED'
  /** You read a live stream too slowly; subscribe again with `extensions.cursor`. */
  | 'SLOW_CONSUMER'
  /** The credential is missing, wrong, expired or revoked. */
  | 'UNAUTHENTICATED'
  /** Something this server depends on does not answer; try again later. */
  | 'UNAVAILABLE'
  /** The input is wrong; every problem is listed. */
  | 'VALIDATION_FAILED';

/** How the delivery of an event stands. */
export type EventDeliveryStatus =
  /** It was given up; `redeliverEvent` sends it again. It is kept for 30 days. */
  | 'DEAD_LETTERED'
  /** It will be sent again; later events of its execution wait for it. */
  | 'PENDING'
  /** It was given up and is sent again; nothing waits for it. */
  | 'REDELIVERING';

/** What kind of sink. */
export type EventSinkKind =
  /** A topic of Kafka. */
  | 'KAFKA'
  /** A stream of NATS JetStream. */
  | 'NATS'
  /** A stream of Redis. */
  | 'REDIS'
  /** Signed requests (Standard Webhooks). */
  | 'WEBHOOK';

/** Who configured it. */
export type EventSinkOrigin =
  /** The operator, in the configuration of the runners; it gets the events of several tenants. */
  | 'OPERATOR'
  /** The tenant, through this API. */
  | 'TENANT';

/** Where a new sink begins. */
export type EventSinkStart =
  /** With the first event of the tenant. */
  | 'BEGINNING'
  /** With what happens from now on. */
  | 'NOW';

/** How a sink stands. */
export type EventSinkState =
  /** It failed three times in a row, or its oldest event waits longer than five minutes. */
  | 'FAILING'
  /** It takes what it is sent. */
  | 'HEALTHY'
  /** Nothing is sent. */
  | 'PAUSED'
  /** Something was not taken and will be sent again. */
  | 'RETRYING';

/** Whether events are sent. */
export type EventSinkStatus =
  /** Events are sent. */
  | 'ACTIVE'
  /** Nothing is sent; it goes on where it stopped once it is resumed. */
  | 'PAUSED';

/** What happened; each has an object type of its own. */
export type EventType =
  /** A stage is complete; the people of the next one are asked. */
  | 'APPROVAL_ADVANCED'
  /** A person approved what the step will run. */
  | 'APPROVAL_APPROVED'
  /** The execution ended before anybody decided. */
  | 'APPROVAL_CANCELLED'
  /** Somebody said, asked or answered something about it. */
  | 'APPROVAL_COMMENTED'
  /** Somebody who is asked has a delegate, who can decide in their place. */
  | 'APPROVAL_DELEGATED'
  /** An approver changed what will run; it is still to be decided. */
  | 'APPROVAL_EDITED'
  /** Nobody completed the stage in time; more people are asked. */
  | 'APPROVAL_ESCALATED'
  /** Nobody decided in time. */
  | 'APPROVAL_EXPIRED'
  /** An approver put off its end. */
  | 'APPROVAL_EXTENDED'
  /** A person rejected it. */
  | 'APPROVAL_REJECTED'
  /** The step waits for a person. */
  | 'APPROVAL_REQUESTED'
  /** A person approved it; others have to, too. */
  | 'APPROVAL_VOTED'
  /** It expires soon. */
  | 'APPROVAL_WARNED'
  /** It ended because its start, or a step, was refused by a policy or a person. */
  | 'EXECUTION_BLOCKED'
  /** It was cancelled. */
  | 'EXECUTION_CANCELLED'
  /** A policy puts its start off until a moment; then it is judged anew. */
  | 'EXECUTION_DEFERRED'
  /** It ended because a step failed for good, or its output could not be made. */
  | 'EXECUTION_FAILED'
  /** Nothing new starts; effects that run may finish. */
  | 'EXECUTION_PAUSED'
  /** The execution was accepted and is durable. */
  | 'EXECUTION_QUEUED'
  /** Something it waited for happened, or a pause ended. */
  | 'EXECUTION_RESUMED'
  /** The execution was accepted, is durable, and starts later. */
  | 'EXECUTION_SCHEDULED'
  /** A signal was sent to it. */
  | 'EXECUTION_SIGNALLED'
  /** A runner took it up. */
  | 'EXECUTION_STARTED'
  /** It ended with its output. */
  | 'EXECUTION_SUCCEEDED'
  /** Every open step waits: for a person, a moment, a signal or another execution. */
  | 'EXECUTION_WAITING'
  /** The step took a signal it waited for. */
  | 'SIGNAL_RECEIVED'
  /** The step was refused by a policy or a person. */
  | 'STEP_BLOCKED'
  /** The step started an execution of another agent and waits for it. */
  | 'STEP_CHILD_STARTED'
  /** The kill switch was released; the step is ready again. */
  | 'STEP_CONTINUED'
  /** A policy puts the step off until a moment; then it passes the gate anew. */
  | 'STEP_DEFERRED'
  /** The list of a forEach step is known, or a loop begins. */
  | 'STEP_EXPANDED'
  /** The step, or an item of it, failed for good. */
  | 'STEP_FAILED'
  /** A kill switch stopped it before its effect began, or aborted the effect; it goes on once the switch is released. */
  | 'STEP_HALTED'
  /** The process of an attempt ended; the step is ready again. */
  | 'STEP_INTERRUPTED'
  /** Another iteration of a loop begins. */
  | 'STEP_ITERATED'
  /** The step, or an item of it, is ready to run. */
  | 'STEP_QUEUED'
  /** An attempt failed and will be made again. */
  | 'STEP_RETRY_SCHEDULED'
  /** The step, or items of it, were done by the execution that this one retries or forks; they do not run again. */
  | 'STEP_REUSED'
  /** The step is not needed on the path taken. */
  | 'STEP_SKIPPED'
  /** An attempt passed the gate and began. */
  | 'STEP_STARTED'
  /** The step, or an item of it, succeeded. */
  | 'STEP_SUCCEEDED'
  /** The step waits for a moment in time, or for a signal until then. */
  | 'STEP_WAITING';

/** Conditions that an execution must all satisfy; an absent one is satisfied by every execution. */
export type ExecutionFilter = {
  /** Of this agent. */
  agentId?: string | null | undefined;
  /** In this environment. */
  environmentId?: string | null | undefined;
  /** True: started by a step of another execution. False: not so. */
  hasParent?: boolean | null | undefined;
  /** With every one of these labels, as an object of texts. */
  labels?: unknown;
  /** Retrying or forking this execution. */
  originId?: string | null | undefined;
  /** Started by a step of this execution. */
  parentId?: string | null | undefined;
  /** Of this project. */
  projectId?: string | null | undefined;
  /** Accepted at or after this moment. */
  since?: string | null | undefined;
  /** In one of these statuses. */
  status?: Array<ExecutionStatus> | null | undefined;
  /** Accepted before this moment. */
  until?: string | null | undefined;
};

/** Where an execution stands. */
export type ExecutionStatus =
  /** A policy asks a person before it may start. */
  | 'AWAITING_APPROVAL'
  /** Ended because a policy or a person refused its start, or a step. */
  | 'BLOCKED'
  /** Ended by a person. */
  | 'CANCELLED'
  /** Ended because a step failed for good. */
  | 'FAILED'
  /** A person stopped it; nothing new starts until it is resumed. */
  | 'PAUSED'
  /** Accepted; no runner has taken it up yet. */
  | 'QUEUED'
  /** At least one step runs or is ready to. */
  | 'RUNNING'
  /** Accepted; starts later. */
  | 'SCHEDULED'
  /** Ended with its output. */
  | 'SUCCEEDED'
  /** Every open step waits: for a person, a moment, a signal or another execution; this costs nothing. */
  | 'WAITING';

/** More time for an approval that is open. */
export type ExtendApprovalInput = {
  /** The approval. */
  approvalId: string;
  /** Its new end: later than the one it has, at most 365 days after it was requested. */
  expiresAt: string;
  /** Why; at most 4000 characters. */
  note?: string | null | undefined;
};

/** What a finding had to do with the outcome. */
export type FindingRole =
  /** It is among those that made the outcome. */
  | 'DECIDED'
  /** Its text goes in front of the output; it changed nothing else. */
  | 'INJECTED'
  /** It was recorded only. */
  | 'OBSERVED'
  /** It was enforced, and something stronger decided. */
  | 'OUTWEIGHED';

/** Where to begin again, and with what. */
export type ForkExecutionInput = {
  /** The execution to fork; it stays as it is. */
  executionId: string;
  /** Unique in the tenant: the same key with the same request gives the same execution. */
  idempotencyKey?: string | null | undefined;
  /** Instead of the inputs it was started with; the same when absent. */
  inputs?: unknown;
  /** A step that has ended there: it and what follows it run again. */
  stepId: string;
  /** A version that is or was deployed there, instead of the one it ran; the same when absent. */
  version?: string | null | undefined;
};

/** What passes the gate. */
export type GateAction =
  /** The start of an execution. */
  | 'EXECUTION_START'
  /** A request of an http step, with exactly its URL, headers and body. */
  | 'HTTP_REQUEST'
  /** An output that a step or an execution hands on. */
  | 'OUTPUT_DELIVER'
  /** A call of a tool, with exactly its arguments. */
  | 'TOOL_CALL';

/** Which data, to which agent, and why. */
export type GrantDataInput = {
  /** `dataset:orders`, `api:payments` or `service:mail`, as it is declared. */
  data: string;
  /** The agent that may touch it, too. */
  granteeAgentId: string;
  /** The agent that declares the data in `spec.data`. */
  ownerAgentId: string;
  /** Why; at most 1,000 characters. */
  reason: string;
};

/** Which role, where, to whom. */
export type GrantRoleInput = {
  /** The principal that gets it, or the team whose members get it. */
  granteeId: string;
  /** One that you hold there yourself, or a weaker one. */
  role: Role;
  /** The tenant, project, environment or team that the role is on. */
  scopeId: string;
};

/** Why a reader would be deceived by a character. */
export type HiddenCharacterKind =
  /** It makes text read in another order than it runs. */
  | 'BIDIRECTIONAL'
  /** It steers terminals and is not seen. */
  | 'CONTROL'
  /** It is not seen. */
  | 'INVISIBLE'
  /** It looks like another letter. */
  | 'LOOKALIKE'
  /** It looks like a space and is none. */
  | 'SPACE';

/** Conditions that a kill switch must all satisfy. */
export type KillSwitchFilter = {
  /** True: in force. False: released. */
  engaged?: boolean | null | undefined;
  /** Of this scope. */
  scope?: KillSwitchScope | null | undefined;
};

/** What a kill switch stops. */
export type KillSwitchScope =
  /** Everything one agent does. */
  | 'AGENT'
  /** What goes to the hosts that a pattern names: requests, redirects, network tools that are given their URLs, tool servers there. */
  | 'DESTINATION'
  /** Everything in an environment. */
  | 'ENVIRONMENT'
  /** Everything in a project. */
  | 'PROJECT'
  /** Everything. */
  | 'TENANT'
  /** Calls of the tools that a pattern names. */
  | 'TOOL';

/** What a concurrency limit is set on. */
export type LimitScope =
  /** The executions of an agent. */
  | 'AGENT'
  /** The executions in an environment. */
  | 'ENVIRONMENT'
  /** The executions of a project. */
  | 'PROJECT'
  /** Everything. */
  | 'TENANT';

/** Which agent to pause, and why. */
export type PauseAgentInput = {
  /** The agent. */
  agentId: string;
  /** Shown to whoever tries to start it; at most 500 characters. */
  reason: string;
};

/** Which sink to pause, and why. */
export type PauseEventSinkInput = {
  /** The sink. */
  eventSinkId: string;
  /** For people; at most 1000 characters. */
  reason?: string | null | undefined;
};

/** What to pause, and why. */
export type PauseExecutionInput = {
  /** The execution. */
  executionId: string;
  /** Kept with the event; at most 1,000 characters. */
  reason?: string | null | undefined;
};

/** What an operation asks for. */
export type Permission =
  /** Create, change and archive agents, publish versions. */
  | 'AGENT_MANAGE'
  /** Make versions live in environments. */
  | 'AGENT_PROMOTE'
  /** See agents, their versions and deployments. */
  | 'AGENT_READ'
  /** Approve and reject. */
  | 'APPROVAL_DECIDE'
  /** See approvals. */
  | 'APPROVAL_READ'
  /** See who changed what. */
  | 'AUDIT_READ'
  /** See what policies decided. */
  | 'DECISION_READ'
  /** Create, change and delete environments. */
  | 'ENVIRONMENT_MANAGE'
  /** Make, change and remove event sinks, and send events again; held in the whole tenant only. */
  | 'EVENTSINK_MANAGE'
  /** See event sinks and how they stand; held in the whole tenant only. */
  | 'EVENTSINK_READ'
  /** Cancel executions. */
  | 'EXECUTION_CANCEL'
  /** Pause and resume executions. */
  | 'EXECUTION_PAUSE'
  /** See executions, their steps and events. */
  | 'EXECUTION_READ'
  /** Send signals to executions. */
  | 'EXECUTION_SIGNAL'
  /** Start executions. */
  | 'EXECUTION_START'
  /** Give and revoke roles, never more than one holds. */
  | 'GRANT_MANAGE'
  /** Make, see and revoke the API keys of others. */
  | 'KEY_MANAGE'
  /** Engage and release kill switches. */
  | 'KILLSWITCH_MANAGE'
  /** See kill switches. */
  | 'KILLSWITCH_READ'
  /** Create, change, enable, disable and delete policies. */
  | 'POLICY_MANAGE'
  /** See policies. */
  | 'POLICY_READ'
  /** Create, disable and enable principals. */
  | 'PRINCIPAL_MANAGE'
  /** See the details of principals. */
  | 'PRINCIPAL_READ'
  /** Create, change and delete projects. */
  | 'PROJECT_MANAGE'
  /** See projects and environments. */
  | 'PROJECT_READ'
  /** Limit how much runs at a time. */
  | 'QUEUE_MANAGE'
  /** Create, change and delete teams, add and remove members. */
  | 'TEAM_MANAGE'
  /** See teams. */
  | 'TEAM_READ'
  /** Archive tenants and restore them; held by admins of the operator’s tenant. */
  | 'TENANT_ARCHIVE'
  /** Create tenants; held by admins of the operator’s tenant. */
  | 'TENANT_CREATE'
  /** Accept changed tools. */
  | 'TOOL_APPROVE'
  /** Register, change and remove tool servers; held in the whole tenant only. */
  | 'TOOL_MANAGE'
  /** See tools. */
  | 'TOOL_READ'
  /** Register, change and remove webhooks; held in the whole tenant only. */
  | 'WEBHOOK_MANAGE';

/** One more place of a policy; what is left out is as in the policy. */
export type PolicyAttachmentInput = {
  /** False: an exception, the policy says nothing there. */
  enabled?: boolean | null | undefined;
  /** The mode there. */
  mode?: PolicyMode | null | undefined;
  /** The priority there. */
  priority?: number | null | undefined;
  /** Where; no other place of the policy may be the same. */
  scope: PolicyScopeInput;
};

/** Policies to try, new, changed and removed; at most 100 together, each once. */
export type PolicyCandidateInput = {
  /** New policies, as `createPolicy` takes them. */
  create?: Array<CreatePolicyInput> | null | undefined;
  /** Policies as YAML or JSON text: each stands for the policy of its name, new or changed. */
  documents?: Array<string> | null | undefined;
  /** Policies that would be gone. */
  remove?: Array<string> | null | undefined;
  /** Changes, as `updatePolicy` takes them. */
  update?: Array<UpdatePolicyInput> | null | undefined;
};

/** What a policy says of calls of low and medium risk when it cannot be evaluated. Those of high and critical risk are refused. */
export type PolicyFailureMode =
  /** They pass. */
  | 'ALLOW'
  /** They are refused. */
  | 'DENY';

/** Conditions that a policy must all satisfy; an absent one is satisfied by every policy. A place is its scope or one of its attachments; one of them must satisfy all that is said of places. */
export type PolicyFilter = {
  /** With a place that names this agent. */
  agentId?: string | null | undefined;
  /** Switched on, or off. */
  enabled?: boolean | null | undefined;
  /** With a place that names this environment. */
  environmentId?: string | null | undefined;
  /** Of this kind. */
  kind?: PolicyKind | null | undefined;
  /** In this mode. */
  mode?: PolicyMode | null | undefined;
  /** The one of this name. */
  name?: string | null | undefined;
  /** With a place that names this project. */
  projectId?: string | null | undefined;
  /** With a place that names this tag. */
  tag?: string | null | undefined;
  /** With a place that names this team. */
  teamId?: string | null | undefined;
};

/** What a policy decides; it gives `rules` their shape. */
export type PolicyKind =
  /** What a person must approve first. */
  | 'APPROVAL_REQUIRED'
  /** What inputs, arguments and outputs must not contain. */
  | 'CONTENT'
  /** That an agent touches only data that it declares, or that another agent has granted it. */
  | 'DATA_SCOPE'
  /** Where requests may go: hosts, addresses, ports, schemes, methods. */
  | 'DESTINATION'
  /** How many executions or tool calls there may be in a sliding window. */
  | 'RATE_LIMIT'
  /** On which days and at which hours something may happen. */
  | 'TIME_WINDOW'
  /** Which tools may be called: rules that allow or deny. */
  | 'TOOL_ACCESS';

/** Whether a policy has consequences. */
export type PolicyMode =
  /** Evaluated, recorded and enforced. */
  | 'ENFORCE'
  /** Never changes what happens: its reason is put in front of the output, and the run goes on. */
  | 'INJECT'
  /** Evaluated and recorded with each decision, never enforced. */
  | 'OBSERVE';

/** With which policies a decision is computed again. */
export type PolicyMoment =
  /** Those of now. */
  | 'CURRENT'
  /** Those of the moment of the decision, in the versions that the record names. */
  | 'RECORDED';

/** Switches a policy on by and by. */
export type PolicyRolloutInput = {
  /** It falls back to `OBSERVE` when it denies more than this share, 0 to 100; never when absent. */
  maxDenialPercent?: number | null | undefined;
  /** Share of executions for which it has its mode, 0 to 100; it is observed for the others. */
  percent: number;
  /** Time in which denials are counted, 60000 to 1209600000 milliseconds; 3600000 when absent. */
  windowMs?: number | null | undefined;
};

/** Where a policy applies: every member that is given must match; none is the whole tenant. */
export type PolicyScopeInput = {
  /** Only for this agent. */
  agentId?: string | null | undefined;
  /** Only in this environment. */
  environmentId?: string | null | undefined;
  /** Only in this project. */
  projectId?: string | null | undefined;
  /** Only for agents with this tag; at most 63 characters. */
  tag?: string | null | undefined;
  /** Only for agents of this team. */
  teamId?: string | null | undefined;
  /** Only for tools of this pattern, such as `files.*`; then nothing is said of effects without a tool. */
  tool?: string | null | undefined;
};

/** What kind of actor a principal is. */
export type PrincipalKind =
  /** A program that calls this API. */
  | 'SERVICE_ACCOUNT'
  /** A person. */
  | 'USER'
  /** A program that takes work from this server. */
  | 'WORKER';

/** Which version to make live where. */
export type PromoteAgentVersionInput = {
  /** The agent. */
  agentId: string;
  /** An environment of the agent’s project. */
  environmentId: string;
  /** A published version, for example `1.2.0`. */
  version: string;
};

/** A new version of an agent. */
export type PublishAgentVersionInput = {
  /** The agent. */
  agentId: string;
  /** The definition as YAML or JSON text of at most 1 MiB; `docs/definition.schema.json` is its JSON Schema. */
  definition: string;
};

/** Which event to send once more. */
export type RedeliverEventInput = {
  /** The delivery that was given up. */
  eventDeliveryId: string;
};

/** Whose events that were given up are sent again. */
export type RedeliverEventsInput = {
  /** The sink. */
  eventSinkId: string;
};

/** Which delivery to send once more. */
export type RedeliverWebhookInput = {
  /** The delivery. */
  deliveryId: string;
};

/** Which tool server to look at. */
export type RefreshToolServerInput = {
  /** The tool server. */
  toolServerId: string;
};

/** A new tool server. It is looked at before it is registered, unless it is to be switched off; at most 256 tools. */
export type RegisterToolServerInput = {
  /** 1 to 100; 10 when absent. */
  concurrency?: number | null | undefined;
  /** True when absent. */
  enabled?: boolean | null | undefined;
  /** At most 20. */
  headers?: Array<ToolServerHeaderInput> | null | undefined;
  /** Letters, digits, `_` and `-`; unique in the tenant and not one of the operator’s. */
  name: string;
  /** 100 to 3600000 milliseconds; 60000 when absent. */
  timeoutMs?: number | null | undefined;
  /** The MCP endpoint: http or https, without user and password, at a public address. */
  url: string;
};

/** Which switch to release. */
export type ReleaseKillSwitchInput = {
  /** The kill switch. */
  killSwitchId: string;
  /** Kept with it; at most 1,000 characters. */
  reason?: string | null | undefined;
};

/** Who shall no longer be in which team. */
export type RemoveTeamMemberInput = {
  /** Who shall leave it. */
  principalId: string;
  /** The team. */
  teamId: string;
};

/** Which tool to leave as it is described. */
export type RemoveToolOverrideInput = {
  /** Full name, `server.name`. */
  tool: string;
};

/** Which tool server to remove. */
export type RemoveToolServerInput = {
  /** The tool server. */
  toolServerId: string;
};

/** What came of a call. */
export type ReportToolResultInput = {
  /** Whether the tool gave a result. */
  outcome: ToolCallOutcome;
  /** Its result, or its error; at most 1 MiB of JSON. */
  result?: unknown;
  /** An allowed call. */
  toolCallId: string;
};

/** Which tenant to open again. */
export type RestoreTenantInput = {
  /** The archived tenant. */
  tenantId: string;
};

/** Which sink goes on. */
export type ResumeEventSinkInput = {
  /** The sink. */
  eventSinkId: string;
};

/** What to resume. */
export type ResumeExecutionInput = {
  /** A paused execution. */
  executionId: string;
};

/** What to retry. */
export type RetryExecutionInput = {
  /** An execution that is failed, blocked or cancelled. */
  executionId: string;
  /** Unique in the tenant: the same key with the same request gives the same execution. */
  idempotencyKey?: string | null | undefined;
};

/** Which API key to revoke. */
export type RevokeApiKeyInput = {
  /** The key. */
  apiKeyId: string;
};

/** Which grant to revoke. */
export type RevokeDataGrantInput = {
  /** The grant. */
  dataGrantId: string;
};

/** Which delegation ends now. */
export type RevokeDelegationInput = {
  /** The delegation. */
  delegationId: string;
};

/** Which grant to revoke. */
export type RevokeRoleInput = {
  /** The grant. */
  grantId: string;
};

/** How much harm a call can do; policies and approvals go by it. */
export type RiskClass =
  /** Destroys, runs code of strangers, or was said to be so: by the operator, by the definition, or by what the arguments of a call show. */
  | 'CRITICAL'
  /** May change or destroy. */
  | 'HIGH'
  /** Reads only. */
  | 'LOW'
  /** Adds, destroys nothing. */
  | 'MEDIUM';

/** What may be done within the scope that the role is granted on. */
export type Role =
  /** Everything. */
  | 'ADMIN'
  /** Read; edit agents, publish and promote versions. */
  | 'AGENT_MANAGER'
  /** Read; start and cancel executions; decide approvals. */
  | 'OPERATOR'
  /** Read; decide approvals. */
  | 'REVIEWER'
  /** Read agents and executions; start executions. */
  | 'SERVICE'
  /** Read. */
  | 'VIEWER';

/** Where to return to an earlier version. */
export type RollbackAgentInput = {
  /** The agent. */
  agentId: string;
  /** The environment. */
  environmentId: string;
  /** A version that was live there before; when absent, the one that was live before the present one was promoted. */
  version?: string | null | undefined;
};

/** Which sink gets a new secret. */
export type RotateEventSinkSecretInput = {
  /** The sink. */
  eventSinkId: string;
};

/** Which webhook gets a new secret. */
export type RotateWebhookSecretInput = {
  /** The webhook. */
  webhookId: string;
};

/** On what a role is granted; it is inherited downwards. */
export type ScopeKind =
  /** One environment; also reads the agents of its project. */
  | 'ENVIRONMENT'
  /** One project with its environments and agents. */
  | 'PROJECT'
  /** The agents of one team. */
  | 'TEAM'
  /** The whole tenant. */
  | 'TENANT';

/** How much may run at a time, where. */
export type SetConcurrencyLimitInput = {
  /** From 0 (nothing begins) to 100,000; null removes the limit. */
  maxRunning?: number | null | undefined;
  /** The tenant, project, environment or agent that is limited. */
  scopeId: string;
};

/** What to say of a tool; it replaces what was said before. */
export type SetToolOverrideInput = {
  /** Its category, which also says how its arguments are looked at. */
  category?: ToolCategory | null | undefined;
  /** What a call is estimated to cost, whole millionths of a US dollar; policies and approvers see it. */
  costMicroUsd?: number | null | undefined;
  /** Its risk; the arguments of a call can still raise it. */
  risk?: RiskClass | null | undefined;
  /** Full name, `server.name`; also `builtin.<name>` and `custom.<name>`. */
  tool: string;
};

/** What to send, and to which execution. */
export type SignalExecutionInput = {
  /** The execution. */
  executionId: string;
  /** Unique in the execution: the same key with the same signal is the same signal, sent once. */
  idempotencyKey?: string | null | undefined;
  /** What the wait step waits for: a letter or _, then letters, digits, "_", "." and "-". */
  name: string;
  /** Any JSON of at most 256 KiB: `payload` in the output of the step that takes it. */
  payload?: unknown;
};

/** What to try, on which decisions. */
export type SimulatePoliciesInput = {
  /** The policies to try. */
  candidate: PolicyCandidateInput;
  /** Only these decisions. */
  filter?: SimulationFilter | null | undefined;
  /** The same key and input give the same simulation again. */
  idempotencyKey?: string | null | undefined;
  /** From this moment on; seven days before `until` when absent. */
  since?: string | null | undefined;
  /** Before this moment; now when absent. At most 1000000 decisions may lie between. */
  until?: string | null | undefined;
};

/** Conditions on the decisions to look at; an absent one is satisfied by every decision. */
export type SimulationFilter = {
  /** About one of these actions. */
  action?: Array<GateAction> | null | undefined;
  /** Of this agent. */
  agentId?: string | null | undefined;
  /** With one of these outcomes then. */
  effect?: Array<DecisionEffect> | null | undefined;
  /** In this environment. */
  environmentId?: string | null | undefined;
  /** In this project. */
  projectId?: string | null | undefined;
  /** About this tool, `server.name`. */
  tool?: string | null | undefined;
};

/** How a simulation stands. */
export type SimulationStatus =
  /** Over because somebody cancelled it. */
  | 'CANCELLED'
  /** Over because of a fault. */
  | 'FAILED'
  /** Accepted; it has not begun. */
  | 'QUEUED'
  /** Under way; its numbers grow. */
  | 'RUNNING'
  /** Over: every decision of the period was looked at. */
  | 'SUCCEEDED';

/** What to run, where, with what. */
export type StartExecutionInput = {
  /** The agent. */
  agentId: string;
  /** Where to run it. */
  environmentId: string;
  /** Unique in the tenant: the same key with the same request gives the same execution. */
  idempotencyKey?: string | null | undefined;
  /** Checked against the JSON Schema of the version; at most 1 MiB. Default {}. */
  inputs?: unknown;
  /** Up to 32 names with texts of at most 256 characters, to find it by. */
  labels?: unknown;
  /** Place in the tenant’s queue, 1 (first) to 9; 5 when absent. */
  priority?: number | null | undefined;
  /** Not before this moment, at most 366 days ahead; at once when absent. */
  startAt?: string | null | undefined;
  /** A version that is or was deployed there, instead of the live one. */
  version?: string | null | undefined;
};

/** What a step does. */
export type StepKind =
  /** Starts an execution of another agent and waits for it. */
  | 'AGENT'
  /** Asks a person. */
  | 'APPROVAL'
  /** Chooses which steps follow. */
  | 'BRANCH'
  /** Makes an HTTP request, through the gate. */
  | 'HTTP'
  /** Calls a tool, through the gate. */
  | 'TOOL'
  /** Computes a value. */
  | 'TRANSFORM'
  /** Waits for a time or a signal. */
  | 'WAIT';

/** Where a step, or an item of it, stands. */
export type StepStatus =
  /** Waits for a person. */
  | 'AWAITING_APPROVAL'
  /** Refused by a policy or a person. */
  | 'BLOCKED'
  /** The execution ended first. */
  | 'CANCELLED'
  /** Failed for good. */
  | 'FAILED'
  /** Waits for other steps. */
  | 'PENDING'
  /** Ready to run, or to run again. */
  | 'QUEUED'
  /** Runs. */
  | 'RUNNING'
  /** Not needed on the path taken. */
  | 'SKIPPED'
  /** Ended well. */
  | 'SUCCEEDED'
  /** Waits for a moment in time, a signal, or an execution it started. */
  | 'WAITING';

/** Conditions on the events to watch; all of them have to hold. */
export type TenantEventFilter = {
  /** Of this agent. */
  agentId?: string | null | undefined;
  /** In this environment. */
  environmentId?: string | null | undefined;
  /** Of this execution. */
  executionId?: string | null | undefined;
  /** In this project. */
  projectId?: string | null | undefined;
  /** Of one of these types. */
  types?: Array<EventType> | null | undefined;
};

/** What came of a call. */
export type ToolCallOutcome =
  /** The tool failed; `result` says how. */
  | 'FAILED'
  /** The tool gave a result. */
  | 'SUCCEEDED';

/** What was answered. Only `ALLOWED` means that the call may be made. */
export type ToolCallStatus =
  /** It may be made now, with exactly these arguments; `reportToolResult` closes it. */
  | 'ALLOWED'
  /** A person is asked. Ask again with the same key once `approval` is decided. */
  | 'AWAITING_APPROVAL'
  /** It must not be made; for good. */
  | 'REFUSED'
  /** It was made, and what came of it is reported. */
  | 'REPORTED'
  /** Put off by a policy until `notBefore`, or by a kill switch. Ask again with the same key then. */
  | 'WAITING';

/** What kind of thing a tool does. */
export type ToolCategory =
  /** Runs commands or code. */
  | 'COMMAND_EXECUTION'
  /** Asks or changes a database or dataset. */
  | 'DATA'
  /** Reads or changes files. */
  | 'FILE_OPERATION'
  /** Looks for files, or in them. */
  | 'FILE_SEARCH'
  /** Anything else. */
  | 'GENERAL'
  /** Reaches through the network. */
  | 'NETWORK';

/** Conditions that a tool must all satisfy; an absent one is satisfied by every tool. */
export type ToolFilter = {
  /** Needing this capability. */
  capability?: Capability | null | undefined;
  /** Of this risk class. */
  risk?: RiskClass | null | undefined;
  /** Of this server. */
  server?: string | null | undefined;
  /** In this status. */
  status?: ToolStatus | null | undefined;
};

/** A header that every request to a tool server has. */
export type ToolServerHeaderInput = {
  /** Such as `Authorization`. */
  name: string;
  /** Visible ASCII. Stored sealed, never shown again. */
  value: string;
};

/** A header that every request to a tool server has from now on. */
export type ToolServerHeaderUpdate = {
  /** Such as `Authorization`. */
  name: string;
  /** A new value. Absent: the value it has, unless the server moves to another origin. */
  value?: string | null | undefined;
};

/** How a tool server is doing, as far as anybody looked. */
export type ToolServerStatus =
  /** It did not answer, or not as an MCP server does, when it was last asked. */
  | 'FAILING'
  /** It answered when it was last asked. */
  | 'HEALTHY'
  /** It failed several times in a row: a runner sends nothing to it until a trial call succeeds. */
  | 'OPEN_CIRCUIT'
  /** Nobody has looked at it yet. */
  | 'UNKNOWN';

/** Where a tool comes from. */
export type ToolSource =
  /** Part of the program that runs an agent elsewhere: `builtin.<name>`. */
  | 'BUILTIN'
  /** Written by the authors of an agent that runs elsewhere: `custom.<name>`. */
  | 'CUSTOM'
  /** The request of an http step. */
  | 'HTTP'
  /** A tool server describes it. */
  | 'MCP';

/** How this tenant stands to the current description of a tool. */
export type ToolStatus =
  /** The current description is the accepted one. */
  | 'APPROVED'
  /** The description changed since it was accepted: calls are blocked until `approveTool`. */
  | 'CHANGED'
  /** Not used yet; the first use accepts the description. */
  | 'UNSEEN';

/** What to change of an agent; what is left out stays. */
export type UpdateAgentInput = {
  /** The agent. */
  agentId: string;
  /** For people; at most 2,000 characters. */
  description?: string | null | undefined;
  /** Whom to ask; at most 200 characters. Null clears it. */
  owner?: string | null | undefined;
  /** All of them: At most 50 words of at most 63 characters to find it by; policies may name them. */
  tags?: Array<string> | null | undefined;
  /** The team it belongs to; null takes it out of its team. */
  teamId?: string | null | undefined;
};

/** What to change of an environment; what is left out stays. */
export type UpdateEnvironmentInput = {
  /** The environment. */
  environmentId: string;
  /** Decides which policies apply, so changing it needs the permission on the whole project. */
  kind?: EnvironmentKind | null | undefined;
  /** Unique in the project. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name?: string | null | undefined;
};

/** What to change of a sink; fields left out stay as they are. What is sent from then on is sent so. */
export type UpdateEventSinkInput = {
  /** Only events of this environment; null: of all. */
  environmentId?: string | null | undefined;
  /** The sink. */
  eventSinkId: string;
  /** Or so long after the first attempt: 60 to 2592000; default 86400. */
  maxAgeSeconds?: number | null | undefined;
  /** An event is given up after so many attempts: 1 to 1000; default 50. */
  maxAttempts?: number | null | undefined;
  /** A new name. */
  name?: string | null | undefined;
  /** Only events of this project; null: of all. */
  projectId?: string | null | undefined;
  /** New types, replacing the old ones; empty or null: all. */
  types?: Array<EventType> | null | undefined;
  /** A new URL. */
  url?: string | null | undefined;
};

/** What to change of a policy; fields left out stay as they are. */
export type UpdatePolicyInput = {
  /** New attachments, replacing the old ones as a whole. */
  attachments?: Array<PolicyAttachmentInput> | null | undefined;
  /** A new description. */
  description?: string | null | undefined;
  /** The version that you read; another current one is a conflict. */
  expectedVersion: number;
  /** A new mode. */
  mode?: PolicyMode | null | undefined;
  /** A new name. */
  name?: string | null | undefined;
  /** A new failure mode. */
  onError?: PolicyFailureMode | null | undefined;
  /** The policy. */
  policyId: string;
  /** A new priority. */
  priority?: number | null | undefined;
  /** A new rollout; null ends it. */
  rollout?: PolicyRolloutInput | null | undefined;
  /** New rules, replacing the old ones as a whole. */
  rules?: unknown;
  /** A new scope, replacing the old one as a whole; `{}` is the whole tenant. */
  scope?: PolicyScopeInput | null | undefined;
};

/** What to change of a project; what is left out stays. */
export type UpdateProjectInput = {
  /** For people; at most 2,000 characters. */
  description?: string | null | undefined;
  /** Unique in the tenant. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name?: string | null | undefined;
  /** The project. */
  projectId: string;
};

/** What to change of a team; what is left out stays. */
export type UpdateTeamInput = {
  /** Unique in the tenant. Lower-case slug: a letter, then letters, digits and hyphens, at most 63 characters. */
  name?: string | null | undefined;
  /** The team. */
  teamId: string;
};

/** What to change of a tool server; fields left out stay as they are. With a new URL or headers, or switched on, it is looked at first. */
export type UpdateToolServerInput = {
  /** A new number of calls at a time, 1 to 100. */
  concurrency?: number | null | undefined;
  /** Switch it on, or off: calls are refused at once. */
  enabled?: boolean | null | undefined;
  /** The version that you read; another current one is a conflict. */
  expectedVersion: number;
  /** New headers, replacing the old ones as a whole. */
  headers?: Array<ToolServerHeaderUpdate> | null | undefined;
  /** A new timeout, 100 to 3600000 milliseconds. */
  timeoutMs?: number | null | undefined;
  /** The tool server. */
  toolServerId: string;
  /** A new URL. */
  url?: string | null | undefined;
};

/** What to change of a webhook; fields left out stay as they are. */
export type UpdateWebhookInput = {
  /** Switch it on, or off: nothing more is sent, and what happens meanwhile is not told later. */
  enabled?: boolean | null | undefined;
  /** New events, replacing the old ones. */
  events?: Array<WebhookEvent> | null | undefined;
  /** A new name. */
  name?: string | null | undefined;
  /** A new URL. */
  url?: string | null | undefined;
  /** The webhook. */
  webhookId: string;
};

/** How a delivery stands. */
export type WebhookDeliveryStatus =
  /** The receiver answered with a status from 200 to 299. */
  | 'DELIVERED'
  /** It was tried as often as it can be, or the receiver answered 410. */
  | 'FAILED'
  /** It is under way, or will be tried again. */
  | 'PENDING';

/** What a webhook can tell of. */
export type WebhookEvent =
  /** The execution ended before anybody decided. */
  | 'APPROVAL_CANCELLED'
  /** A request was approved or rejected. */
  | 'APPROVAL_DECIDED'
  /** A second group is asked. */
  | 'APPROVAL_ESCALATED'
  /** Nobody decided in time. */
  | 'APPROVAL_EXPIRED'
  /** A request will expire soon. */
  | 'APPROVAL_EXPIRING'
  /** Somebody has to look: a new request, the next stage of one, or one that was edited. */
  | 'APPROVAL_REQUESTED'
  /** A policy that was rolled out denied too much, and is only observed from then on. */
  | 'POLICY_FELL_BACK';

/** A call that is not wanted any more. */
export type WithdrawToolCallInput = {
  /** A call that waits. */
  toolCallId: string;
};

export type AgentFieldsFragment = { id: string, name: string, description: string, owner: string | null, tags: Array<string>, status: AgentStatus, pauseReason: string | null, createdAt: string, updatedAt: string, archivedAt: string | null, project: { id: string, name: string }, team: { id: string, name: string } | null, latestVersion: { id: string, version: string, digest: string } | null };

export type AgentVersionFieldsFragment = { id: string, version: string, digest: string, definition: unknown, createdAt: string };

export type DeploymentFieldsFragment = { id: string, kind: DeploymentKind, createdAt: string, supersededAt: string | null, environment: { id: string, name: string, kind: EnvironmentKind }, version: { id: string, version: string } };

export type AgentQueryVariables = Exact<{
  id: string;
}>;


export type AgentQuery = { agent: { id: string, name: string, description: string, owner: string | null, tags: Array<string>, status: AgentStatus, pauseReason: string | null, createdAt: string, updatedAt: string, archivedAt: string | null, versions: { edges: Array<{ node: { id: string, version: string, digest: string, createdAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, deployments: { edges: Array<{ node: { id: string, kind: DeploymentKind, createdAt: string, supersededAt: string | null, environment: { id: string, name: string, kind: EnvironmentKind }, version: { id: string, version: string } } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, project: { id: string, name: string }, team: { id: string, name: string } | null, latestVersion: { id: string, version: string, digest: string } | null } | null };

export type AgentsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: AgentFilter | null | undefined;
}>;


export type AgentsQuery = { agents: { edges: Array<{ cursor: string, node: { id: string, name: string, description: string, owner: string | null, tags: Array<string>, status: AgentStatus, pauseReason: string | null, createdAt: string, updatedAt: string, archivedAt: string | null, project: { id: string, name: string }, team: { id: string, name: string } | null, latestVersion: { id: string, version: string, digest: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreateAgentMutationVariables = Exact<{
  input: CreateAgentInput;
}>;


export type CreateAgentMutation = { createAgent:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateAgentSuccess', agent: { id: string, name: string, description: string, owner: string | null, tags: Array<string>, status: AgentStatus, pauseReason: string | null, createdAt: string, updatedAt: string, archivedAt: string | null, project: { id: string, name: string }, team: { id: string, name: string } | null, latestVersion: { id: string, version: string, digest: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateAgentMutationVariables = Exact<{
  input: UpdateAgentInput;
}>;


export type UpdateAgentMutation = { updateAgent:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateAgentSuccess', agent: { id: string, name: string, description: string, owner: string | null, tags: Array<string>, status: AgentStatus, pauseReason: string | null, createdAt: string, updatedAt: string, archivedAt: string | null, project: { id: string, name: string }, team: { id: string, name: string } | null, latestVersion: { id: string, version: string, digest: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ArchiveAgentMutationVariables = Exact<{
  input: ArchiveAgentInput;
}>;


export type ArchiveAgentMutation = { archiveAgent:
    | { __typename: 'ArchiveAgentSuccess', agent: { id: string, name: string, description: string, owner: string | null, tags: Array<string>, status: AgentStatus, pauseReason: string | null, createdAt: string, updatedAt: string, archivedAt: string | null, project: { id: string, name: string }, team: { id: string, name: string } | null, latestVersion: { id: string, version: string, digest: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ActivateAgentMutationVariables = Exact<{
  input: ActivateAgentInput;
}>;


export type ActivateAgentMutation = { activateAgent:
    | { __typename: 'ActivateAgentSuccess', agent: { id: string, name: string, description: string, owner: string | null, tags: Array<string>, status: AgentStatus, pauseReason: string | null, createdAt: string, updatedAt: string, archivedAt: string | null, project: { id: string, name: string }, team: { id: string, name: string } | null, latestVersion: { id: string, version: string, digest: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type PauseAgentMutationVariables = Exact<{
  input: PauseAgentInput;
}>;


export type PauseAgentMutation = { pauseAgent:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'PauseAgentSuccess', agent: { id: string, name: string, description: string, owner: string | null, tags: Array<string>, status: AgentStatus, pauseReason: string | null, createdAt: string, updatedAt: string, archivedAt: string | null, project: { id: string, name: string }, team: { id: string, name: string } | null, latestVersion: { id: string, version: string, digest: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type PublishAgentVersionMutationVariables = Exact<{
  input: PublishAgentVersionInput;
}>;


export type PublishAgentVersionMutation = { publishAgentVersion:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'PublishAgentVersionSuccess', version: { id: string, version: string, digest: string, definition: unknown, createdAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type PromoteAgentVersionMutationVariables = Exact<{
  input: PromoteAgentVersionInput;
}>;


export type PromoteAgentVersionMutation = { promoteAgentVersion:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'PromoteAgentVersionSuccess', deployment: { id: string, kind: DeploymentKind, createdAt: string, supersededAt: string | null, environment: { id: string, name: string, kind: EnvironmentKind }, version: { id: string, version: string } } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RollbackAgentMutationVariables = Exact<{
  input: RollbackAgentInput;
}>;


export type RollbackAgentMutation = { rollbackAgent:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RollbackAgentSuccess', deployment: { id: string, kind: DeploymentKind, createdAt: string, supersededAt: string | null, environment: { id: string, name: string, kind: EnvironmentKind }, version: { id: string, version: string } } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ApprovalCommentFieldsFragment = { id: string, kind: ApprovalCommentKind, text: string, createdAt: string, change: unknown, author: { id: string, name: string } | null, question: { id: string } | null, answer: { id: string, text: string } | null };

export type ApprovalContentFragment = { costMicroUsd: number | null, isEdited: boolean, requestedArguments: unknown, editedAt: string | null, editedBy: { id: string, name: string } | null, presentation: { summary: string, omittedValues: number, warnings: Array<string>, values: Array<{ path: string, text: string, isTruncated: boolean, isChanged: boolean, before: string | null }>, changes: Array<{ path: string, added: number, removed: number, isWhole: boolean, isTruncated: boolean, comparedWithStepId: string | null, comparedWithAt: string | null, lines: Array<{ kind: ChangeLineKind, oldLine: number | null, newLine: number | null, text: string }> }>, hidden: Array<{ codePoint: string, name: string, kind: HiddenCharacterKind, count: number }> }, context: { agentName: string, agentVersion: string | null, environmentName: string, environmentKind: EnvironmentKind, requesterName: string | null, labels: unknown, startedAt: string | null, stepTotal: number, stepsFinished: number, nextSteps: Array<string>, lastSteps: Array<{ stepId: string, status: StepStatus, finishedAt: string }> } | null, comments: { edges: Array<{ node: { id: string, kind: ApprovalCommentKind, text: string, createdAt: string, change: unknown, author: { id: string, name: string } | null, question: { id: string } | null, answer: { id: string, text: string } | null } }> } };

export type EditApprovalMutationVariables = Exact<{
  input: EditApprovalInput;
}>;


export type EditApprovalMutation = { editApproval:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'EditApprovalSuccess', approval: { isEdited: boolean, requestedArguments: unknown, id: string, status: ApprovalStatus, source: ApprovalSource, title: string, reason: string, risk: RiskClass, stepId: string | null, itemIndex: number | null, tool: string | null, arguments: unknown, digest: string, createdAt: string, expiresAt: string, decidedAt: string | null, note: string | null, canDecide: boolean, cannotDecideReason: string | null, execution: { id: string } | null, agent: { id: string, name: string } | null, environment: { id: string, name: string } | null, requestedBy: { id: string, name: string } | null, decidedBy: { id: string, name: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CommentOnApprovalMutationVariables = Exact<{
  input: CommentOnApprovalInput;
}>;


export type CommentOnApprovalMutation = { commentOnApproval:
    | { __typename: 'CommentOnApprovalSuccess', comment: { id: string, kind: ApprovalCommentKind, text: string, createdAt: string, change: unknown, author: { id: string, name: string } | null, question: { id: string } | null, answer: { id: string, text: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type AskAboutApprovalMutationVariables = Exact<{
  input: AskAboutApprovalInput;
}>;


export type AskAboutApprovalMutation = { askAboutApproval:
    | { __typename: 'AskAboutApprovalSuccess', question: { id: string, kind: ApprovalCommentKind, text: string, createdAt: string, change: unknown, author: { id: string, name: string } | null, question: { id: string } | null, answer: { id: string, text: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type AnswerApprovalQuestionMutationVariables = Exact<{
  input: AnswerApprovalQuestionInput;
}>;


export type AnswerApprovalQuestionMutation = { answerApprovalQuestion:
    | { __typename: 'AnswerApprovalQuestionSuccess', answer: { id: string, kind: ApprovalCommentKind, text: string, createdAt: string, change: unknown, author: { id: string, name: string } | null, question: { id: string } | null, answer: { id: string, text: string } | null } }
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type WaitFieldsFragment = { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null };

export type ApproverGroupFieldsFragment = { kind: ApproverGroupKind, role: Role | null, pending: number, pendingLongestMs: number | null, team: { id: string, name: string } | null, principal: { id: string, name: string } | null, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null } };

export type ApprovalPolicyFieldsFragment = { isStep: boolean, pending: number, pendingLongestMs: number | null, approved: number, rejected: number, expired: number, policy: { id: string, name: string } | null, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null } };

export type ApprovalMetricsQueryVariables = Exact<{
  filter?: ApprovalMetricsFilter | null | undefined;
}>;


export type ApprovalMetricsQuery = { approvalMetrics: { since: string, until: string, isCapped: boolean, pending: { expiringSoon: number, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null }, byRisk: Array<{ risk: RiskClass, count: number }> }, decided: { approved: number, rejected: number, expired: number, cancelled: number, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null } }, byApprover: Array<{ approvals: number, rejections: number, approver: { id: string, name: string } | null, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null } }>, byGroup: Array<{ kind: ApproverGroupKind, role: Role | null, pending: number, pendingLongestMs: number | null, team: { id: string, name: string } | null, principal: { id: string, name: string } | null, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null } }>, byPolicy: Array<{ isStep: boolean, pending: number, pendingLongestMs: number | null, approved: number, rejected: number, expired: number, policy: { id: string, name: string } | null, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null } }>, bottlenecks: Array<{ waitingMs: number, share: number, group: { kind: ApproverGroupKind, role: Role | null, pending: number, pendingLongestMs: number | null, team: { id: string, name: string } | null, principal: { id: string, name: string } | null, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null } } | null, policy: { isStep: boolean, pending: number, pendingLongestMs: number | null, approved: number, rejected: number, expired: number, policy: { id: string, name: string } | null, waits: { count: number, medianMs: number | null, p90Ms: number | null, longestMs: number | null } } | null }> } };

export type ApprovalFieldsFragment = { id: string, status: ApprovalStatus, source: ApprovalSource, title: string, reason: string, risk: RiskClass, stepId: string | null, itemIndex: number | null, tool: string | null, arguments: unknown, digest: string, createdAt: string, expiresAt: string, decidedAt: string | null, note: string | null, canDecide: boolean, cannotDecideReason: string | null, execution: { id: string } | null, agent: { id: string, name: string } | null, environment: { id: string, name: string } | null, requestedBy: { id: string, name: string } | null, decidedBy: { id: string, name: string } | null };

export type ApproverFieldsFragment = { role: Role | null, principal: { id: string, name: string } | null, team: { id: string, name: string } | null };

export type ApprovalPeopleFragment = { isOwnerExcluded: boolean, warnedAt: string | null, stages: Array<{ index: number, name: string | null, quorum: number, isComplete: boolean, isCurrent: boolean, approvers: Array<{ role: Role | null, principal: { id: string, name: string } | null, team: { id: string, name: string } | null }> }>, votes: Array<{ stage: number, decision: ApprovalDecision, note: string | null, votedAt: string, principal: { id: string, name: string } | null, onBehalfOf: { id: string, name: string } | null }>, escalation: { afterMs: number, escalatedAt: string | null, approvers: Array<{ role: Role | null, principal: { id: string, name: string } | null, team: { id: string, name: string } | null }> } | null };

export type DelegationFieldsFragment = { id: string, startsAt: string, endsAt: string, reason: string, createdAt: string, revokedAt: string | null, from: { id: string, name: string } | null, to: { id: string, name: string } | null };

export type ApprovalQueryVariables = Exact<{
  id: string;
}>;


export type ApprovalQuery = { approval: { id: string, status: ApprovalStatus, source: ApprovalSource, title: string, reason: string, risk: RiskClass, stepId: string | null, itemIndex: number | null, tool: string | null, arguments: unknown, digest: string, createdAt: string, expiresAt: string, decidedAt: string | null, note: string | null, canDecide: boolean, cannotDecideReason: string | null, isOwnerExcluded: boolean, warnedAt: string | null, costMicroUsd: number | null, isEdited: boolean, requestedArguments: unknown, editedAt: string | null, execution: { id: string } | null, agent: { id: string, name: string } | null, environment: { id: string, name: string } | null, requestedBy: { id: string, name: string } | null, decidedBy: { id: string, name: string } | null, stages: Array<{ index: number, name: string | null, quorum: number, isComplete: boolean, isCurrent: boolean, approvers: Array<{ role: Role | null, principal: { id: string, name: string } | null, team: { id: string, name: string } | null }> }>, votes: Array<{ stage: number, decision: ApprovalDecision, note: string | null, votedAt: string, principal: { id: string, name: string } | null, onBehalfOf: { id: string, name: string } | null }>, escalation: { afterMs: number, escalatedAt: string | null, approvers: Array<{ role: Role | null, principal: { id: string, name: string } | null, team: { id: string, name: string } | null }> } | null, editedBy: { id: string, name: string } | null, presentation: { summary: string, omittedValues: number, warnings: Array<string>, values: Array<{ path: string, text: string, isTruncated: boolean, isChanged: boolean, before: string | null }>, changes: Array<{ path: string, added: number, removed: number, isWhole: boolean, isTruncated: boolean, comparedWithStepId: string | null, comparedWithAt: string | null, lines: Array<{ kind: ChangeLineKind, oldLine: number | null, newLine: number | null, text: string }> }>, hidden: Array<{ codePoint: string, name: string, kind: HiddenCharacterKind, count: number }> }, context: { agentName: string, agentVersion: string | null, environmentName: string, environmentKind: EnvironmentKind, requesterName: string | null, labels: unknown, startedAt: string | null, stepTotal: number, stepsFinished: number, nextSteps: Array<string>, lastSteps: Array<{ stepId: string, status: StepStatus, finishedAt: string }> } | null, comments: { edges: Array<{ node: { id: string, kind: ApprovalCommentKind, text: string, createdAt: string, change: unknown, author: { id: string, name: string } | null, question: { id: string } | null, answer: { id: string, text: string } | null } }> } } | null };

export type ApprovalDelegationsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: ApprovalDelegationFilter | null | undefined;
}>;


export type ApprovalDelegationsQuery = { approvalDelegations: { edges: Array<{ cursor: string, node: { id: string, startsAt: string, endsAt: string, reason: string, createdAt: string, revokedAt: string | null, from: { id: string, name: string } | null, to: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ApprovalsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: ApprovalFilter | null | undefined;
}>;


export type ApprovalsQuery = { approvals: { edges: Array<{ cursor: string, node: { id: string, status: ApprovalStatus, source: ApprovalSource, title: string, reason: string, risk: RiskClass, stepId: string | null, itemIndex: number | null, tool: string | null, arguments: unknown, digest: string, createdAt: string, expiresAt: string, decidedAt: string | null, note: string | null, canDecide: boolean, cannotDecideReason: string | null, execution: { id: string } | null, agent: { id: string, name: string } | null, environment: { id: string, name: string } | null, requestedBy: { id: string, name: string } | null, decidedBy: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type DecideApprovalMutationVariables = Exact<{
  input: DecideApprovalInput;
}>;


export type DecideApprovalMutation = { decideApproval:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'DecideApprovalSuccess', approval: { id: string, status: ApprovalStatus, source: ApprovalSource, title: string, reason: string, risk: RiskClass, stepId: string | null, itemIndex: number | null, tool: string | null, arguments: unknown, digest: string, createdAt: string, expiresAt: string, decidedAt: string | null, note: string | null, canDecide: boolean, cannotDecideReason: string | null, execution: { id: string } | null, agent: { id: string, name: string } | null, environment: { id: string, name: string } | null, requestedBy: { id: string, name: string } | null, decidedBy: { id: string, name: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DecideApprovalsMutationVariables = Exact<{
  input: DecideApprovalsInput;
}>;


export type DecideApprovalsMutation = { decideApprovals:
    | { __typename: 'DecideApprovalsSuccess', results: Array<{ approvalId: string, refusal: { code: ErrorCode, message: string } | null, approval: { id: string, status: ApprovalStatus, source: ApprovalSource, title: string, reason: string, risk: RiskClass, stepId: string | null, itemIndex: number | null, tool: string | null, arguments: unknown, digest: string, createdAt: string, expiresAt: string, decidedAt: string | null, note: string | null, canDecide: boolean, cannotDecideReason: string | null, execution: { id: string } | null, agent: { id: string, name: string } | null, environment: { id: string, name: string } | null, requestedBy: { id: string, name: string } | null, decidedBy: { id: string, name: string } | null } | null }> }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ExtendApprovalMutationVariables = Exact<{
  input: ExtendApprovalInput;
}>;


export type ExtendApprovalMutation = { extendApproval:
    | { __typename: 'ExtendApprovalSuccess', approval: { id: string, status: ApprovalStatus, source: ApprovalSource, title: string, reason: string, risk: RiskClass, stepId: string | null, itemIndex: number | null, tool: string | null, arguments: unknown, digest: string, createdAt: string, expiresAt: string, decidedAt: string | null, note: string | null, canDecide: boolean, cannotDecideReason: string | null, execution: { id: string } | null, agent: { id: string, name: string } | null, environment: { id: string, name: string } | null, requestedBy: { id: string, name: string } | null, decidedBy: { id: string, name: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DelegateApprovalsMutationVariables = Exact<{
  input: DelegateApprovalsInput;
}>;


export type DelegateApprovalsMutation = { delegateApprovals:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'DelegateApprovalsSuccess', delegation: { id: string, startsAt: string, endsAt: string, reason: string, createdAt: string, revokedAt: string | null, from: { id: string, name: string } | null, to: { id: string, name: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RevokeDelegationMutationVariables = Exact<{
  input: RevokeDelegationInput;
}>;


export type RevokeDelegationMutation = { revokeDelegation:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RevokeDelegationSuccess', delegation: { id: string, startsAt: string, endsAt: string, reason: string, createdAt: string, revokedAt: string | null, from: { id: string, name: string } | null, to: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ApprovalRequestsSubscriptionVariables = Exact<{
  filter?: ApprovalStreamFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type ApprovalRequestsSubscription = { approvalRequests: { cursor: string, caughtUp: boolean, changes: Array<{ type: EventType, occurredAt: string, approval: { id: string, status: ApprovalStatus, source: ApprovalSource, title: string, reason: string, risk: RiskClass, stepId: string | null, itemIndex: number | null, tool: string | null, arguments: unknown, digest: string, createdAt: string, expiresAt: string, decidedAt: string | null, note: string | null, canDecide: boolean, cannotDecideReason: string | null, execution: { id: string } | null, agent: { id: string, name: string } | null, environment: { id: string, name: string } | null, requestedBy: { id: string, name: string } | null, decidedBy: { id: string, name: string } | null } | null }> } };

export type AuditEventFieldsFragment = { id: string, action: string, principalId: string | null, subjectType: string | null, subjectId: string | null, beforeDigest: string | null, afterDigest: string | null, address: string | null, userAgent: string | null, traceId: string | null, occurredAt: string };

export type AuditEventsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: AuditEventFilter | null | undefined;
}>;


export type AuditEventsQuery = { auditEvents: { edges: Array<{ cursor: string, node: { id: string, action: string, principalId: string | null, subjectType: string | null, subjectId: string | null, beforeDigest: string | null, afterDigest: string | null, address: string | null, userAgent: string | null, traceId: string | null, occurredAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type AuditTrailSubscriptionVariables = Exact<{
  filter?: AuditEventFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type AuditTrailSubscription = { auditTrail: { cursor: string, caughtUp: boolean, events: Array<{ id: string, action: string, principalId: string | null, subjectType: string | null, subjectId: string | null, beforeDigest: string | null, afterDigest: string | null, address: string | null, userAgent: string | null, traceId: string | null, occurredAt: string }> } };

export type DataGrantFieldsFragment = { id: string, data: string, reason: string, isInForce: boolean, createdAt: string, revokedAt: string | null, ownerAgent: { id: string, name: string } | null, granteeAgent: { id: string, name: string } | null };

export type DataGrantsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: DataGrantFilter | null | undefined;
}>;


export type DataGrantsQuery = { dataGrants: { edges: Array<{ cursor: string, node: { id: string, data: string, reason: string, isInForce: boolean, createdAt: string, revokedAt: string | null, ownerAgent: { id: string, name: string } | null, granteeAgent: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type GrantDataMutationVariables = Exact<{
  input: GrantDataInput;
}>;


export type GrantDataMutation = { grantData:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'GrantDataSuccess', dataGrant: { id: string, data: string, reason: string, isInForce: boolean, createdAt: string, revokedAt: string | null, ownerAgent: { id: string, name: string } | null, granteeAgent: { id: string, name: string } | null } }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RevokeDataGrantMutationVariables = Exact<{
  input: RevokeDataGrantInput;
}>;


export type RevokeDataGrantMutation = { revokeDataGrant:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RevokeDataGrantSuccess', dataGrant: { id: string, data: string, reason: string, isInForce: boolean, createdAt: string, revokedAt: string | null, ownerAgent: { id: string, name: string } | null, granteeAgent: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ExplainDecisionQueryVariables = Exact<{
  decisionId: string;
}>;


export type ExplainDecisionQuery = { explainDecision: { summary: string, refusals: Array<string>, decision: { id: string, action: GateAction, effect: DecisionEffect, reasons: Array<string>, stepId: string | null, itemIndex: number | null, input: unknown, redacted: Array<string>, inputDigest: string, durationMicros: number, createdAt: string, tool: string | null, principal: { id: string, name: string } | null, execution: { id: string } | null, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> }, findings: Array<{ role: FindingRole, rules: unknown, finding: { policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string, notBefore: string | null, failed: boolean, policy: { id: string } | null } }> } | null };

export type ReevaluateDecisionQueryVariables = Exact<{
  decisionId: string;
  policies?: PolicyMoment | null | undefined;
}>;


export type ReevaluateDecisionQuery = { reevaluateDecision: { policies: PolicyMoment, same: boolean, effect: DecisionEffect, reasons: Array<string>, digestMatches: boolean | null, notCompared: Array<string>, findings: Array<{ policyName: string, version: number, mode: PolicyMode, effect: DecisionEffect, reason: string }>, differences: Array<{ path: string, recorded: unknown, computed: unknown, policy: { id: string, name: string } | null }>, decision: { id: string, action: GateAction, effect: DecisionEffect, reasons: Array<string>, stepId: string | null, itemIndex: number | null, input: unknown, redacted: Array<string>, inputDigest: string, durationMicros: number, createdAt: string, tool: string | null, principal: { id: string, name: string } | null, execution: { id: string } | null, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> } } | null };

export type EventSinkFieldsFragment = { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string };

export type EventSinkHealthFieldsFragment = { state: EventSinkState, lagEvents: number, lagSeconds: number, pendingExecutions: number, deadLetters: number, isCapped: boolean, failures: number, retryAt: string | null, lastSuccessAt: string | null, lastError: string | null, lastErrorAt: string | null };

export type EventDeliveryFieldsFragment = { id: string, executionId: string, sequence: number, type: EventType, status: EventDeliveryStatus, attempts: number, firstAttemptAt: string | null, nextAttemptAt: string | null, lastError: string | null, createdAt: string, deadLetteredAt: string | null };

export type EventSinksQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type EventSinksQuery = { eventSinks: { edges: Array<{ cursor: string, node: { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string, deliveries: { edges: Array<{ node: { id: string, executionId: string, sequence: number, type: EventType, status: EventDeliveryStatus, attempts: number, firstAttemptAt: string | null, nextAttemptAt: string | null, lastError: string | null, createdAt: string, deadLetteredAt: string | null } }> } } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type EventBusHealthQueryVariables = Exact<{ [key: string]: never; }>;


export type EventBusHealthQuery = { eventBusHealth: { state: EventSinkState, lagEvents: number, lagSeconds: number, deadLetters: number, isCapped: boolean, sinks: Array<{ state: EventSinkState, lagEvents: number, lagSeconds: number, pendingExecutions: number, deadLetters: number, isCapped: boolean, failures: number, retryAt: string | null, lastSuccessAt: string | null, lastError: string | null, lastErrorAt: string | null, eventSink: { id: string, name: string, kind: EventSinkKind } | null }> } };

export type CreateEventSinkMutationVariables = Exact<{
  input: CreateEventSinkInput;
}>;


export type CreateEventSinkMutation = { createEventSink:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateEventSinkSuccess', secret: string, eventSink: { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string } }
    | { __typename: 'CursorExpiredError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidCursorError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UnavailableError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateEventSinkMutationVariables = Exact<{
  input: UpdateEventSinkInput;
}>;


export type UpdateEventSinkMutation = { updateEventSink:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateEventSinkSuccess', eventSink: { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type PauseEventSinkMutationVariables = Exact<{
  input: PauseEventSinkInput;
}>;


export type PauseEventSinkMutation = { pauseEventSink:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'PauseEventSinkSuccess', eventSink: { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ResumeEventSinkMutationVariables = Exact<{
  input: ResumeEventSinkInput;
}>;


export type ResumeEventSinkMutation = { resumeEventSink:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ResumeEventSinkSuccess', eventSink: { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RotateEventSinkSecretMutationVariables = Exact<{
  input: RotateEventSinkSecretInput;
}>;


export type RotateEventSinkSecretMutation = { rotateEventSinkSecret:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RotateEventSinkSecretSuccess', secret: string, eventSink: { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string } }
    | { __typename: 'UnavailableError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeleteEventSinkMutationVariables = Exact<{
  input: DeleteEventSinkInput;
}>;


export type DeleteEventSinkMutation = { deleteEventSink:
    | { __typename: 'DeleteEventSinkSuccess', eventSink: { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RedeliverEventMutationVariables = Exact<{
  input: RedeliverEventInput;
}>;


export type RedeliverEventMutation = { redeliverEvent:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RedeliverEventSuccess', eventDelivery: { id: string, executionId: string, sequence: number, type: EventType, status: EventDeliveryStatus, attempts: number, firstAttemptAt: string | null, nextAttemptAt: string | null, lastError: string | null, createdAt: string, deadLetteredAt: string | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RedeliverEventsMutationVariables = Exact<{
  input: RedeliverEventsInput;
}>;


export type RedeliverEventsMutation = { redeliverEvents:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RedeliverEventsSuccess', redelivering: number, hasMore: boolean, eventSink: { id: string, name: string, origin: EventSinkOrigin, kind: EventSinkKind, url: string, types: Array<EventType>, projectId: string | null, environmentId: string | null, tenants: Array<string> | null, maxAttempts: number, maxAgeSeconds: number, status: EventSinkStatus, pausedReason: string | null, createdAt: string, updatedAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type SignalFieldsFragment = { id: string, name: string, payload: unknown, sentAt: string, receivedByStepId: string | null, receivedAt: string | null };

export type PauseExecutionMutationVariables = Exact<{
  input: PauseExecutionInput;
}>;


export type PauseExecutionMutation = { pauseExecution:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'PauseExecutionSuccess', execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ResumeExecutionMutationVariables = Exact<{
  input: ResumeExecutionInput;
}>;


export type ResumeExecutionMutation = { resumeExecution:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ResumeExecutionSuccess', execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type SignalExecutionMutationVariables = Exact<{
  input: SignalExecutionInput;
}>;


export type SignalExecutionMutation = { signalExecution:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'SignalExecutionSuccess', signal: { id: string, name: string, payload: unknown, sentAt: string, receivedByStepId: string | null, receivedAt: string | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RetryExecutionMutationVariables = Exact<{
  input: RetryExecutionInput;
}>;


export type RetryExecutionMutation = { retryExecution:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RetryExecutionSuccess', execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ForkExecutionMutationVariables = Exact<{
  input: ForkExecutionInput;
}>;


export type ForkExecutionMutation = { forkExecution:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'ForkExecutionSuccess', execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } }
    | { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ExecutionFieldsFragment = { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null };

type SlotFields_Step_Fragment = { stepId: string, status: StepStatus, queuedAt: string | null, startedAt: string | null, finishedAt: string | null, wakeAt: string | null, signal: string | null, childExecution: { id: string, status: ExecutionStatus } | null, failure: { code: string, message: string, stepId: string | null } | null };

type SlotFields_StepItem_Fragment = { stepId: string, status: StepStatus, queuedAt: string | null, startedAt: string | null, finishedAt: string | null, wakeAt: string | null, signal: string | null, childExecution: { id: string, status: ExecutionStatus } | null, failure: { code: string, message: string, stepId: string | null } | null };

export type SlotFieldsFragment =
  | SlotFields_Step_Fragment
  | SlotFields_StepItem_Fragment
;

type EventFields_ApprovalAdvanced_Fragment = { __typename: 'ApprovalAdvanced', stepId: string | null, itemIndex: number | null, approvalId: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalApproved_Fragment = { __typename: 'ApprovalApproved', stepId: string | null, itemIndex: number | null, approvalId: string, decidedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalCancelled_Fragment = { __typename: 'ApprovalCancelled', stepId: string | null, itemIndex: number | null, approvalId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalCommented_Fragment = { __typename: 'ApprovalCommented', stepId: string | null, itemIndex: number | null, approvalId: string, commentId: string, commentKind: string, commentedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalDelegated_Fragment = { __typename: 'ApprovalDelegated', stepId: string | null, itemIndex: number | null, approvalId: string, delegatedBy: string, delegateId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalEdited_Fragment = { __typename: 'ApprovalEdited', stepId: string | null, itemIndex: number | null, approvalId: string, digest: string, editedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalEscalated_Fragment = { __typename: 'ApprovalEscalated', stepId: string | null, itemIndex: number | null, approvalId: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalExpired_Fragment = { __typename: 'ApprovalExpired', stepId: string | null, itemIndex: number | null, approvalId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalExtended_Fragment = { __typename: 'ApprovalExtended', stepId: string | null, itemIndex: number | null, approvalId: string, extendedBy: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalRejected_Fragment = { __typename: 'ApprovalRejected', stepId: string | null, itemIndex: number | null, approvalId: string, decidedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalRequested_Fragment = { __typename: 'ApprovalRequested', stepId: string | null, itemIndex: number | null, approvalId: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalVoted_Fragment = { __typename: 'ApprovalVoted', stepId: string | null, itemIndex: number | null, approvalId: string, votedBy: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ApprovalWarned_Fragment = { __typename: 'ApprovalWarned', stepId: string | null, itemIndex: number | null, approvalId: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionBlocked_Fragment = { __typename: 'ExecutionBlocked', decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } };

type EventFields_ExecutionCancelled_Fragment = { __typename: 'ExecutionCancelled', reason: string, cancelledBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionDeferred_Fragment = { __typename: 'ExecutionDeferred', decisionId: string | null, startAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionFailed_Fragment = { __typename: 'ExecutionFailed', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } };

type EventFields_ExecutionPaused_Fragment = { __typename: 'ExecutionPaused', reason: string, pausedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionQueued_Fragment = { __typename: 'ExecutionQueued', requestedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionResumed_Fragment = { __typename: 'ExecutionResumed', resumedBy: string | null, resumedAs: ExecutionStatus | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionScheduled_Fragment = { __typename: 'ExecutionScheduled', requestedBy: string, startAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionSignalled_Fragment = { __typename: 'ExecutionSignalled', signalId: string, name: string, sentBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionStarted_Fragment = { __typename: 'ExecutionStarted', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionSucceeded_Fragment = { __typename: 'ExecutionSucceeded', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_ExecutionWaiting_Fragment = { __typename: 'ExecutionWaiting', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_SignalReceived_Fragment = { __typename: 'SignalReceived', stepId: string | null, itemIndex: number | null, signalId: string, name: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepBlocked_Fragment = { __typename: 'StepBlocked', stepId: string | null, itemIndex: number | null, attempt: number | null, decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } };

type EventFields_StepChildStarted_Fragment = { __typename: 'StepChildStarted', stepId: string | null, itemIndex: number | null, childExecutionId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepContinued_Fragment = { __typename: 'StepContinued', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepDeferred_Fragment = { __typename: 'StepDeferred', stepId: string | null, itemIndex: number | null, decisionId: string | null, wakeAt: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepExpanded_Fragment = { __typename: 'StepExpanded', stepId: string | null, itemIndex: number | null, total: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepFailed_Fragment = { __typename: 'StepFailed', stepId: string | null, itemIndex: number | null, attempt: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } };

type EventFields_StepHalted_Fragment = { __typename: 'StepHalted', stepId: string | null, itemIndex: number | null, attempt: number | null, killSwitchId: string, reason: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepInterrupted_Fragment = { __typename: 'StepInterrupted', stepId: string | null, itemIndex: number | null, attempt: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepIterated_Fragment = { __typename: 'StepIterated', stepId: string | null, itemIndex: number | null, iteration: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepQueued_Fragment = { __typename: 'StepQueued', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepRetryScheduled_Fragment = { __typename: 'StepRetryScheduled', stepId: string | null, itemIndex: number | null, attempt: number | null, retryAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } };

type EventFields_StepReused_Fragment = { __typename: 'StepReused', stepId: string | null, itemIndex: number | null, status: StepStatus, outputBytes: number, branchCase: number | null, itemTotal: number | null, ranges: unknown, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepSkipped_Fragment = { __typename: 'StepSkipped', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepStarted_Fragment = { __typename: 'StepStarted', stepId: string | null, itemIndex: number | null, attempt: number | null, decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepSucceeded_Fragment = { __typename: 'StepSucceeded', stepId: string | null, itemIndex: number | null, attempt: number | null, outputBytes: number, branchCase: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

type EventFields_StepWaiting_Fragment = { __typename: 'StepWaiting', stepId: string | null, itemIndex: number | null, wakeAt: string | null, signal: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string };

export type EventFieldsFragment =
  | EventFields_ApprovalAdvanced_Fragment
  | EventFields_ApprovalApproved_Fragment
  | EventFields_ApprovalCancelled_Fragment
  | EventFields_ApprovalCommented_Fragment
  | EventFields_ApprovalDelegated_Fragment
  | EventFields_ApprovalEdited_Fragment
  | EventFields_ApprovalEscalated_Fragment
  | EventFields_ApprovalExpired_Fragment
  | EventFields_ApprovalExtended_Fragment
  | EventFields_ApprovalRejected_Fragment
  | EventFields_ApprovalRequested_Fragment
  | EventFields_ApprovalVoted_Fragment
  | EventFields_ApprovalWarned_Fragment
  | EventFields_ExecutionBlocked_Fragment
  | EventFields_ExecutionCancelled_Fragment
  | EventFields_ExecutionDeferred_Fragment
  | EventFields_ExecutionFailed_Fragment
  | EventFields_ExecutionPaused_Fragment
  | EventFields_ExecutionQueued_Fragment
  | EventFields_ExecutionResumed_Fragment
  | EventFields_ExecutionScheduled_Fragment
  | EventFields_ExecutionSignalled_Fragment
  | EventFields_ExecutionStarted_Fragment
  | EventFields_ExecutionSucceeded_Fragment
  | EventFields_ExecutionWaiting_Fragment
  | EventFields_SignalReceived_Fragment
  | EventFields_StepBlocked_Fragment
  | EventFields_StepChildStarted_Fragment
  | EventFields_StepContinued_Fragment
  | EventFields_StepDeferred_Fragment
  | EventFields_StepExpanded_Fragment
  | EventFields_StepFailed_Fragment
  | EventFields_StepHalted_Fragment
  | EventFields_StepInterrupted_Fragment
  | EventFields_StepIterated_Fragment
  | EventFields_StepQueued_Fragment
  | EventFields_StepRetryScheduled_Fragment
  | EventFields_StepReused_Fragment
  | EventFields_StepSkipped_Fragment
  | EventFields_StepStarted_Fragment
  | EventFields_StepSucceeded_Fragment
  | EventFields_StepWaiting_Fragment
;

export type ExecutionQueryVariables = Exact<{
  id: string;
}>;


export type ExecutionQuery = { execution: { inputs: unknown, output: unknown, id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, root: { id: string } | null, steps: Array<{ kind: StepKind, needs: Array<string>, itemTotal: number | null, itemDone: number | null, itemFailed: number | null, stepId: string, status: StepStatus, queuedAt: string | null, startedAt: string | null, finishedAt: string | null, wakeAt: string | null, signal: string | null, approval: { id: string, status: ApprovalStatus } | null, attempts: Array<{ number: number, status: AttemptStatus, startedAt: string, finishedAt: string | null, failure: { code: string, message: string, stepId: string | null } | null }>, childExecution: { id: string, status: ExecutionStatus } | null, failure: { code: string, message: string, stepId: string | null } | null }>, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } | null };

export type ExecutionsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: ExecutionFilter | null | undefined;
}>;


export type ExecutionsQuery = { executions: { edges: Array<{ cursor: string, node: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type StartExecutionMutationVariables = Exact<{
  input: StartExecutionInput;
}>;


export type StartExecutionMutation = { startExecution:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'StartExecutionSuccess', execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CancelExecutionMutationVariables = Exact<{
  input: CancelExecutionInput;
}>;


export type CancelExecutionMutation = { cancelExecution:
    | { __typename: 'CancelExecutionSuccess', execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ExecutionEventsSubscriptionVariables = Exact<{
  executionId: string;
  after?: string | null | undefined;
}>;


export type ExecutionEventsSubscription = { executionEvents: { cursor: string, caughtUp: boolean, events: Array<
      | { __typename: 'ApprovalAdvanced', stepId: string | null, itemIndex: number | null, approvalId: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalApproved', stepId: string | null, itemIndex: number | null, approvalId: string, decidedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalCancelled', stepId: string | null, itemIndex: number | null, approvalId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalCommented', stepId: string | null, itemIndex: number | null, approvalId: string, commentId: string, commentKind: string, commentedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalDelegated', stepId: string | null, itemIndex: number | null, approvalId: string, delegatedBy: string, delegateId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalEdited', stepId: string | null, itemIndex: number | null, approvalId: string, digest: string, editedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalEscalated', stepId: string | null, itemIndex: number | null, approvalId: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalExpired', stepId: string | null, itemIndex: number | null, approvalId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalExtended', stepId: string | null, itemIndex: number | null, approvalId: string, extendedBy: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalRejected', stepId: string | null, itemIndex: number | null, approvalId: string, decidedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalRequested', stepId: string | null, itemIndex: number | null, approvalId: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalVoted', stepId: string | null, itemIndex: number | null, approvalId: string, votedBy: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalWarned', stepId: string | null, itemIndex: number | null, approvalId: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionBlocked', decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'ExecutionCancelled', reason: string, cancelledBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionDeferred', decisionId: string | null, startAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionFailed', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'ExecutionPaused', reason: string, pausedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionQueued', requestedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionResumed', resumedBy: string | null, resumedAs: ExecutionStatus | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionScheduled', requestedBy: string, startAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionSignalled', signalId: string, name: string, sentBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionStarted', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionSucceeded', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionWaiting', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'SignalReceived', stepId: string | null, itemIndex: number | null, signalId: string, name: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepBlocked', stepId: string | null, itemIndex: number | null, attempt: number | null, decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'StepChildStarted', stepId: string | null, itemIndex: number | null, childExecutionId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepContinued', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepDeferred', stepId: string | null, itemIndex: number | null, decisionId: string | null, wakeAt: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepExpanded', stepId: string | null, itemIndex: number | null, total: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepFailed', stepId: string | null, itemIndex: number | null, attempt: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'StepHalted', stepId: string | null, itemIndex: number | null, attempt: number | null, killSwitchId: string, reason: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepInterrupted', stepId: string | null, itemIndex: number | null, attempt: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepIterated', stepId: string | null, itemIndex: number | null, iteration: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepQueued', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepRetryScheduled', stepId: string | null, itemIndex: number | null, attempt: number | null, retryAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'StepReused', stepId: string | null, itemIndex: number | null, status: StepStatus, outputBytes: number, branchCase: number | null, itemTotal: number | null, ranges: unknown, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepSkipped', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepStarted', stepId: string | null, itemIndex: number | null, attempt: number | null, decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepSucceeded', stepId: string | null, itemIndex: number | null, attempt: number | null, outputBytes: number, branchCase: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepWaiting', stepId: string | null, itemIndex: number | null, wakeAt: string | null, signal: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
    > } };

export type ExecutionChangedSubscriptionVariables = Exact<{
  filter?: ExecutionFilter | null | undefined;
}>;


export type ExecutionChangedSubscription = { executionChanged: { executions: Array<{ id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null }> } };

export type TenantEventsSubscriptionVariables = Exact<{
  filter?: TenantEventFilter | null | undefined;
  after?: string | null | undefined;
}>;


export type TenantEventsSubscription = { tenantEvents: { cursor: string, caughtUp: boolean, events: Array<
      | { __typename: 'ApprovalAdvanced', stepId: string | null, itemIndex: number | null, approvalId: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalApproved', stepId: string | null, itemIndex: number | null, approvalId: string, decidedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalCancelled', stepId: string | null, itemIndex: number | null, approvalId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalCommented', stepId: string | null, itemIndex: number | null, approvalId: string, commentId: string, commentKind: string, commentedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalDelegated', stepId: string | null, itemIndex: number | null, approvalId: string, delegatedBy: string, delegateId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalEdited', stepId: string | null, itemIndex: number | null, approvalId: string, digest: string, editedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalEscalated', stepId: string | null, itemIndex: number | null, approvalId: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalExpired', stepId: string | null, itemIndex: number | null, approvalId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalExtended', stepId: string | null, itemIndex: number | null, approvalId: string, extendedBy: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalRejected', stepId: string | null, itemIndex: number | null, approvalId: string, decidedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalRequested', stepId: string | null, itemIndex: number | null, approvalId: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalVoted', stepId: string | null, itemIndex: number | null, approvalId: string, votedBy: string, stage: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ApprovalWarned', stepId: string | null, itemIndex: number | null, approvalId: string, expiresAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionBlocked', decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'ExecutionCancelled', reason: string, cancelledBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionDeferred', decisionId: string | null, startAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionFailed', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'ExecutionPaused', reason: string, pausedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionQueued', requestedBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionResumed', resumedBy: string | null, resumedAs: ExecutionStatus | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionScheduled', requestedBy: string, startAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionSignalled', signalId: string, name: string, sentBy: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionStarted', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionSucceeded', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'ExecutionWaiting', executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'SignalReceived', stepId: string | null, itemIndex: number | null, signalId: string, name: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepBlocked', stepId: string | null, itemIndex: number | null, attempt: number | null, decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'StepChildStarted', stepId: string | null, itemIndex: number | null, childExecutionId: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepContinued', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepDeferred', stepId: string | null, itemIndex: number | null, decisionId: string | null, wakeAt: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepExpanded', stepId: string | null, itemIndex: number | null, total: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepFailed', stepId: string | null, itemIndex: number | null, attempt: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'StepHalted', stepId: string | null, itemIndex: number | null, attempt: number | null, killSwitchId: string, reason: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepInterrupted', stepId: string | null, itemIndex: number | null, attempt: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepIterated', stepId: string | null, itemIndex: number | null, iteration: number, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepQueued', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepRetryScheduled', stepId: string | null, itemIndex: number | null, attempt: number | null, retryAt: string, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string, failure: { code: string, message: string, stepId: string | null } }
      | { __typename: 'StepReused', stepId: string | null, itemIndex: number | null, status: StepStatus, outputBytes: number, branchCase: number | null, itemTotal: number | null, ranges: unknown, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepSkipped', stepId: string | null, itemIndex: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepStarted', stepId: string | null, itemIndex: number | null, attempt: number | null, decisionId: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepSucceeded', stepId: string | null, itemIndex: number | null, attempt: number | null, outputBytes: number, branchCase: number | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
      | { __typename: 'StepWaiting', stepId: string | null, itemIndex: number | null, wakeAt: string | null, signal: string | null, executionId: string | null, toolCallId: string | null, sequence: number, type: EventType, occurredAt: string }
    > } };

type Failure_ConflictError_Fragment = { __typename: 'ConflictError', code: ErrorCode, message: string };

type Failure_CursorExpiredError_Fragment = { __typename: 'CursorExpiredError', code: ErrorCode, message: string };

type Failure_ForbiddenError_Fragment = { __typename: 'ForbiddenError', code: ErrorCode, message: string };

type Failure_IdempotencyConflictError_Fragment = { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string };

type Failure_InvalidCursorError_Fragment = { __typename: 'InvalidCursorError', code: ErrorCode, message: string };

type Failure_InvalidStateError_Fragment = { __typename: 'InvalidStateError', code: ErrorCode, message: string };

type Failure_LimitExceededError_Fragment = { __typename: 'LimitExceededError', code: ErrorCode, message: string };

type Failure_NotFoundError_Fragment = { __typename: 'NotFoundError', code: ErrorCode, message: string };

type Failure_RateLimitedError_Fragment = { __typename: 'RateLimitedError', code: ErrorCode, message: string };

type Failure_UnauthenticatedError_Fragment = { __typename: 'UnauthenticatedError', code: ErrorCode, message: string };

type Failure_UnavailableError_Fragment = { __typename: 'UnavailableError', code: ErrorCode, message: string };

type Failure_ValidationError_Fragment = { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> };

export type FailureFragment =
  | Failure_ConflictError_Fragment
  | Failure_CursorExpiredError_Fragment
  | Failure_ForbiddenError_Fragment
  | Failure_IdempotencyConflictError_Fragment
  | Failure_InvalidCursorError_Fragment
  | Failure_InvalidStateError_Fragment
  | Failure_LimitExceededError_Fragment
  | Failure_NotFoundError_Fragment
  | Failure_RateLimitedError_Fragment
  | Failure_UnauthenticatedError_Fragment
  | Failure_UnavailableError_Fragment
  | Failure_ValidationError_Fragment
;

export type PageFragment = { hasNextPage: boolean, endCursor: string | null };

export type ComparedDecisionFieldsFragment = { action: GateAction, effect: DecisionEffect, reasons: Array<string>, count: number, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> };

export type ReplayExecutionQueryVariables = Exact<{
  executionId: string;
}>;


export type ReplayExecutionQuery = { replayExecution: { equal: boolean, status: ExecutionStatus, difference: { path: string, folded: unknown, stored: unknown, message: string } | null, counts: { events: number, steps: number, items: number, attempts: number, approvals: number, signals: number } } };

export type CompareExecutionsQueryVariables = Exact<{
  a: string;
  b: string;
}>;


export type CompareExecutionsQuery = { compareExecutions: { equal: boolean, sameAgent: boolean, sameVersion: boolean, sameInputs: boolean, sameStatus: boolean, sameOutput: boolean, sameDecisions: boolean | null, firstDivergence: { stepId: string, itemIndex: number | null, kind: DivergenceKind } | null, a: { waitedMs: number | null, ranMs: number | null, tookMs: number | null, execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null }, decisions: Array<{ action: GateAction, effect: DecisionEffect, reasons: Array<string>, count: number, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> }> | null }, b: { waitedMs: number | null, ranMs: number | null, tookMs: number | null, execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null }, decisions: Array<{ action: GateAction, effect: DecisionEffect, reasons: Array<string>, count: number, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> }> | null }, steps: Array<{ stepId: string, presence: ComparisonPresence, sameDefinition: boolean | null, sameStatus: boolean | null, sameOutput: boolean | null, samePath: boolean | null, sameDecisions: boolean | null, a: { waitedMs: number | null, ranMs: number | null, tookMs: number | null, outputDigest: string | null, branchCase: number | null, attempts: number, reused: boolean, step: { kind: StepKind, itemTotal: number | null, itemDone: number | null, itemFailed: number | null, stepId: string, status: StepStatus, queuedAt: string | null, startedAt: string | null, finishedAt: string | null, wakeAt: string | null, signal: string | null, childExecution: { id: string, status: ExecutionStatus } | null, failure: { code: string, message: string, stepId: string | null } | null }, decisions: Array<{ action: GateAction, effect: DecisionEffect, reasons: Array<string>, count: number, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> }> | null } | null, b: { waitedMs: number | null, ranMs: number | null, tookMs: number | null, outputDigest: string | null, branchCase: number | null, attempts: number, reused: boolean, step: { kind: StepKind, itemTotal: number | null, itemDone: number | null, itemFailed: number | null, stepId: string, status: StepStatus, queuedAt: string | null, startedAt: string | null, finishedAt: string | null, wakeAt: string | null, signal: string | null, childExecution: { id: string, status: ExecutionStatus } | null, failure: { code: string, message: string, stepId: string | null } | null }, decisions: Array<{ action: GateAction, effect: DecisionEffect, reasons: Array<string>, count: number, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> }> | null } | null, itemDifferences: { both: number, onlyA: number, onlyB: number, different: number, firstDifferent: number | null } | null }> } };

export type ComparedStepFieldsFragment = { waitedMs: number | null, ranMs: number | null, tookMs: number | null, outputDigest: string | null, branchCase: number | null, attempts: number, reused: boolean, step: { kind: StepKind, itemTotal: number | null, itemDone: number | null, itemFailed: number | null, stepId: string, status: StepStatus, queuedAt: string | null, startedAt: string | null, finishedAt: string | null, wakeAt: string | null, signal: string | null, childExecution: { id: string, status: ExecutionStatus } | null, failure: { code: string, message: string, stepId: string | null } | null }, decisions: Array<{ action: GateAction, effect: DecisionEffect, reasons: Array<string>, count: number, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> }> | null };

export type KillSwitchFieldsFragment = { id: string, scope: KillSwitchScope, pattern: string | null, isEngaged: boolean, reason: string, engagedAt: string, releaseReason: string | null, releasedAt: string | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null };

export type KillSwitchesQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: KillSwitchFilter | null | undefined;
}>;


export type KillSwitchesQuery = { killSwitches: { edges: Array<{ cursor: string, node: { id: string, scope: KillSwitchScope, pattern: string | null, isEngaged: boolean, reason: string, engagedAt: string, releaseReason: string | null, releasedAt: string | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type EngageKillSwitchMutationVariables = Exact<{
  input: EngageKillSwitchInput;
}>;


export type EngageKillSwitchMutation = { engageKillSwitch:
    | { __typename: 'EngageKillSwitchSuccess', killSwitch: { id: string, scope: KillSwitchScope, pattern: string | null, isEngaged: boolean, reason: string, engagedAt: string, releaseReason: string | null, releasedAt: string | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ReleaseKillSwitchMutationVariables = Exact<{
  input: ReleaseKillSwitchInput;
}>;


export type ReleaseKillSwitchMutation = { releaseKillSwitch:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ReleaseKillSwitchSuccess', killSwitch: { id: string, scope: KillSwitchScope, pattern: string | null, isEngaged: boolean, reason: string, engagedAt: string, releaseReason: string | null, releasedAt: string | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type PolicyScopeFieldsFragment = { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null };

export type PolicyAttachmentFieldsFragment = { mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } };

export type PolicyFieldsFragment = { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> };

export type DecisionFieldsFragment = { id: string, action: GateAction, effect: DecisionEffect, reasons: Array<string>, stepId: string | null, itemIndex: number | null, input: unknown, redacted: Array<string>, inputDigest: string, durationMicros: number, createdAt: string, tool: string | null, principal: { id: string, name: string } | null, execution: { id: string } | null, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> };

export type PolicyQueryVariables = Exact<{
  id: string;
}>;


export type PolicyQuery = { policy: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } | null };

export type PoliciesQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: PolicyFilter | null | undefined;
}>;


export type PoliciesQuery = { policies: { edges: Array<{ cursor: string, node: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type DecisionsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: DecisionFilter | null | undefined;
}>;


export type DecisionsQuery = { decisions: { edges: Array<{ cursor: string, node: { id: string, action: GateAction, effect: DecisionEffect, reasons: Array<string>, stepId: string | null, itemIndex: number | null, input: unknown, redacted: Array<string>, inputDigest: string, durationMicros: number, createdAt: string, tool: string | null, principal: { id: string, name: string } | null, execution: { id: string } | null, findings: Array<{ policyName: string, version: number, kind: PolicyKind, mode: PolicyMode, effect: DecisionEffect, reason: string }> } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type PoliciesInForceQueryVariables = Exact<{
  agentId: string;
  environmentId: string;
  tool?: string | null | undefined;
}>;


export type PoliciesInForceQuery = { policiesInForce: Array<{ attachment: number | null, mode: PolicyMode, priority: number, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, policy: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } }> };

export type ValidatePolicyQueryVariables = Exact<{
  document: string;
}>;


export type ValidatePolicyQuery = { validatePolicy: { changes: Array<string>, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }>, current: { id: string, version: number, description: string, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode } | null, policy: { name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, rules: unknown, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } | null } };

export type ApplyPolicyMutationVariables = Exact<{
  input: ApplyPolicyInput;
}>;


export type ApplyPolicyMutation = { applyPolicy:
    | { __typename: 'ApplyPolicySuccess', changes: Array<string>, policy: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } }
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreatePolicyMutationVariables = Exact<{
  input: CreatePolicyInput;
}>;


export type CreatePolicyMutation = { createPolicy:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreatePolicySuccess', policy: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdatePolicyMutationVariables = Exact<{
  input: UpdatePolicyInput;
}>;


export type UpdatePolicyMutation = { updatePolicy:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdatePolicySuccess', policy: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type EnablePolicyMutationVariables = Exact<{
  input: EnablePolicyInput;
}>;


export type EnablePolicyMutation = { enablePolicy:
    | { __typename: 'EnablePolicySuccess', policy: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DisablePolicyMutationVariables = Exact<{
  input: DisablePolicyInput;
}>;


export type DisablePolicyMutation = { disablePolicy:
    | { __typename: 'DisablePolicySuccess', policy: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeletePolicyMutationVariables = Exact<{
  input: DeletePolicyInput;
}>;


export type DeletePolicyMutation = { deletePolicy:
    | { __typename: 'DeletePolicySuccess', policy: { id: string, name: string, description: string, kind: PolicyKind, mode: PolicyMode, priority: number, enabled: boolean, onError: PolicyFailureMode, version: number, rules: unknown, createdAt: string, updatedAt: string, deletedAt: string | null, rollout: { percent: number, maxDenialPercent: number | null, windowMs: number } | null, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null }, attachments: Array<{ mode: PolicyMode | null, priority: number | null, enabled: boolean, scope: { tag: string | null, tool: string | null, isWholeTenant: boolean, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null, team: { id: string, name: string } | null } }> } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type PrincipalFieldsFragment = { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null };

export type RoleGrantFieldsFragment = { id: string, role: Role, scopeKind: ScopeKind, createdAt: string, principal: { id: string, name: string } | null, granteeTeam: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null };

export type ApiKeyFieldsFragment = { id: string, name: string, roles: Array<Role>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, principal: { id: string, name: string }, environment: { id: string, name: string } | null };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { permissions: Array<Permission>, expiresAt: string | null, principal: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null }, tenant: { id: string, name: string, isOperator: boolean }, roles: Array<{ role: Role, scopeKind: ScopeKind, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null }> } };

export type PrincipalsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  kind?: PrincipalKind | null | undefined;
  name?: string | null | undefined;
  disabled?: boolean | null | undefined;
}>;


export type PrincipalsQuery = { principals: { edges: Array<{ cursor: string, node: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type RoleGrantsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  principalId?: string | null | undefined;
  granteeTeamId?: string | null | undefined;
}>;


export type RoleGrantsQuery = { roleGrants: { edges: Array<{ cursor: string, node: { id: string, role: Role, scopeKind: ScopeKind, createdAt: string, principal: { id: string, name: string } | null, granteeTeam: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type ApiKeysQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  principalId?: string | null | undefined;
  revoked?: boolean | null | undefined;
}>;


export type ApiKeysQuery = { apiKeys: { edges: Array<{ cursor: string, node: { id: string, name: string, roles: Array<Role>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, principal: { id: string, name: string }, environment: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreatePrincipalMutationVariables = Exact<{
  input: CreatePrincipalInput;
}>;


export type CreatePrincipalMutation = { createPrincipal:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreatePrincipalSuccess', principal: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DisablePrincipalMutationVariables = Exact<{
  input: DisablePrincipalInput;
}>;


export type DisablePrincipalMutation = { disablePrincipal:
    | { __typename: 'DisablePrincipalSuccess', principal: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type EnablePrincipalMutationVariables = Exact<{
  input: EnablePrincipalInput;
}>;


export type EnablePrincipalMutation = { enablePrincipal:
    | { __typename: 'EnablePrincipalSuccess', principal: { id: string, kind: PrincipalKind, name: string, email: string | null, issuer: string | null, subject: string | null, createdAt: string, disabledAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type GrantRoleMutationVariables = Exact<{
  input: GrantRoleInput;
}>;


export type GrantRoleMutation = { grantRole:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'GrantRoleSuccess', roleGrant: { id: string, role: Role, scopeKind: ScopeKind, createdAt: string, principal: { id: string, name: string } | null, granteeTeam: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null } }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RevokeRoleMutationVariables = Exact<{
  input: RevokeRoleInput;
}>;


export type RevokeRoleMutation = { revokeRole:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RevokeRoleSuccess', roleGrant: { id: string, role: Role, scopeKind: ScopeKind, createdAt: string, principal: { id: string, name: string } | null, granteeTeam: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, team: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreateApiKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CreateApiKeyMutation = { createApiKey:
    | { __typename: 'CreateApiKeySuccess', token: string, apiKey: { id: string, name: string, roles: Array<Role>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, principal: { id: string, name: string }, environment: { id: string, name: string } | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RevokeApiKeyMutationVariables = Exact<{
  input: RevokeApiKeyInput;
}>;


export type RevokeApiKeyMutation = { revokeApiKey:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RevokeApiKeySuccess', apiKey: { id: string, name: string, roles: Array<Role>, createdAt: string, expiresAt: string | null, revokedAt: string | null, lastUsedAt: string | null, principal: { id: string, name: string }, environment: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type LimitFieldsFragment = { id: string, scope: LimitScope, maxRunning: number, updatedAt: string, tenant: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null };

export type BulkOperationFieldsFragment = { id: string, status: BulkStatus, reason: string, matched: number, cancelled: number, failed: number, createdAt: string, finishedAt: string | null };

export type QueueStatusQueryVariables = Exact<{ [key: string]: never; }>;


export type QueueStatusQuery = { queueStatus: { admitted: number, running: number, oldestWaitingSince: string | null, isCapped: boolean, backlog: Array<{ priority: number, count: number }> } };

export type ConcurrencyLimitsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  scopeId?: string | null | undefined;
}>;


export type ConcurrencyLimitsQuery = { concurrencyLimits: { edges: Array<{ cursor: string, node: { id: string, scope: LimitScope, maxRunning: number, updatedAt: string, tenant: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type DeadLettersQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  filter?: DeadLetterFilter | null | undefined;
}>;


export type DeadLettersQuery = { deadLetters: { edges: Array<{ cursor: string, node: { stepId: string, itemIndex: number | null, failedAt: string, failure: { code: string, message: string }, attempts: Array<{ number: number, status: AttemptStatus, startedAt: string, finishedAt: string | null, failure: { code: string, message: string } | null }>, execution: { id: string, status: ExecutionStatus, priority: number, admittedAt: string | null, labels: unknown, idempotencyKey: string | null, createdAt: string, startAt: string | null, startedAt: string | null, finishedAt: string | null, depth: number, parentStepId: string | null, parentItemIndex: number | null, forkStepId: string | null, parent: { id: string } | null, retryOf: { id: string } | null, forkOf: { id: string } | null, failure: { code: string, message: string, stepId: string | null } | null, agent: { id: string, name: string } | null, version: { id: string, version: string } | null, environment: { id: string, name: string, kind: EnvironmentKind } | null, requestedBy: { id: string, name: string } | null } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type BulkOperationQueryVariables = Exact<{
  id: string;
}>;


export type BulkOperationQuery = { bulkOperation: { id: string, status: BulkStatus, reason: string, matched: number, cancelled: number, failed: number, createdAt: string, finishedAt: string | null } | null };

export type SetConcurrencyLimitMutationVariables = Exact<{
  input: SetConcurrencyLimitInput;
}>;


export type SetConcurrencyLimitMutation = { setConcurrencyLimit:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'SetConcurrencyLimitSuccess', limit: { id: string, scope: LimitScope, maxRunning: number, updatedAt: string, tenant: { id: string, name: string } | null, project: { id: string, name: string } | null, environment: { id: string, name: string } | null, agent: { id: string, name: string } | null } | null }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CancelExecutionsMutationVariables = Exact<{
  input: CancelExecutionsInput;
}>;


export type CancelExecutionsMutation = { cancelExecutions:
    | { __typename: 'CancelExecutionsSuccess', operation: { id: string, status: BulkStatus, reason: string, matched: number, cancelled: number, failed: number, createdAt: string, finishedAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type SimulationFieldsFragment = { id: string, status: SimulationStatus, since: string, until: string, total: number, processed: number, changed: number, drifted: number, failed: number, redacted: number, error: string | null, createdAt: string, finishedAt: string | null, requestedBy: { id: string, name: string } | null, verdicts: Array<{ before: DecisionEffect, after: DecisionEffect, count: number }> };

export type PolicySimulationsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type PolicySimulationsQuery = { policySimulations: { edges: Array<{ cursor: string, node: { id: string, status: SimulationStatus, since: string, until: string, total: number, processed: number, changed: number, drifted: number, failed: number, redacted: number, error: string | null, createdAt: string, finishedAt: string | null, requestedBy: { id: string, name: string } | null, verdicts: Array<{ before: DecisionEffect, after: DecisionEffect, count: number }> } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type PolicySimulationQueryVariables = Exact<{
  id: string;
}>;


export type PolicySimulationQuery = { policySimulation: { candidate: unknown, agentCount: number | null, executionCount: number | null, id: string, status: SimulationStatus, since: string, until: string, total: number, processed: number, changed: number, drifted: number, failed: number, redacted: number, error: string | null, createdAt: string, finishedAt: string | null, agents: Array<{ changed: number, executions: number, agent: { id: string, name: string } | null }> | null, approvals: Array<{ day: string, approver: string, count: number }> | null, changes: { edges: Array<{ cursor: string, node: { before: DecisionEffect, after: DecisionEffect, approvers: Array<string>, decision: { id: string, action: GateAction, tool: string | null, reasons: Array<string>, createdAt: string } | null, execution: { id: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } }, requestedBy: { id: string, name: string } | null, verdicts: Array<{ before: DecisionEffect, after: DecisionEffect, count: number }> } | null };

export type SimulatePoliciesMutationVariables = Exact<{
  input: SimulatePoliciesInput;
}>;


export type SimulatePoliciesMutation = { simulatePolicies:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'SimulatePoliciesSuccess', simulation: { id: string, status: SimulationStatus, since: string, until: string, total: number, processed: number, changed: number, drifted: number, failed: number, redacted: number, error: string | null, createdAt: string, finishedAt: string | null, requestedBy: { id: string, name: string } | null, verdicts: Array<{ before: DecisionEffect, after: DecisionEffect, count: number }> } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CancelSimulationMutationVariables = Exact<{
  input: CancelSimulationInput;
}>;


export type CancelSimulationMutation = { cancelSimulation:
    | { __typename: 'CancelSimulationSuccess', simulation: { id: string, status: SimulationStatus, since: string, until: string, total: number, processed: number, changed: number, drifted: number, failed: number, redacted: number, error: string | null, createdAt: string, finishedAt: string | null, requestedBy: { id: string, name: string } | null, verdicts: Array<{ before: DecisionEffect, after: DecisionEffect, count: number }> } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type SimulationProgressSubscriptionVariables = Exact<{
  simulationId: string;
}>;


export type SimulationProgressSubscription = { simulationProgress: { simulation: { id: string, status: SimulationStatus, since: string, until: string, total: number, processed: number, changed: number, drifted: number, failed: number, redacted: number, error: string | null, createdAt: string, finishedAt: string | null, requestedBy: { id: string, name: string } | null, verdicts: Array<{ before: DecisionEffect, after: DecisionEffect, count: number }> } | null } };

export type ProjectFieldsFragment = { id: string, name: string, description: string, createdAt: string };

export type EnvironmentFieldsFragment = { id: string, name: string, kind: EnvironmentKind, createdAt: string, project: { id: string, name: string } };

export type TeamFieldsFragment = { id: string, name: string, createdAt: string };

export type ProjectsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  name?: string | null | undefined;
}>;


export type ProjectsQuery = { projects: { edges: Array<{ cursor: string, node: { id: string, name: string, description: string, createdAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type EnvironmentsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  projectId?: string | null | undefined;
  name?: string | null | undefined;
  kind?: EnvironmentKind | null | undefined;
}>;


export type EnvironmentsQuery = { environments: { edges: Array<{ cursor: string, node: { id: string, name: string, kind: EnvironmentKind, createdAt: string, project: { id: string, name: string } } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type TeamsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
  name?: string | null | undefined;
}>;


export type TeamsQuery = { teams: { edges: Array<{ cursor: string, node: { id: string, name: string, createdAt: string } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreateTenantMutationVariables = Exact<{
  input: CreateTenantInput;
}>;


export type CreateTenantMutation = { createTenant:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateTenantSuccess', adminKey: string, tenant: { id: string, name: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ArchiveTenantMutationVariables = Exact<{
  input: ArchiveTenantInput;
}>;


export type ArchiveTenantMutation = { archiveTenant:
    | { __typename: 'ArchiveTenantSuccess', tenant: { id: string, name: string, archivedAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RestoreTenantMutationVariables = Exact<{
  input: RestoreTenantInput;
}>;


export type RestoreTenantMutation = { restoreTenant:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RestoreTenantSuccess', tenant: { id: string, name: string, archivedAt: string | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreateProjectMutationVariables = Exact<{
  input: CreateProjectInput;
}>;


export type CreateProjectMutation = { createProject:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateProjectSuccess', project: { id: string, name: string, description: string, createdAt: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateProjectMutationVariables = Exact<{
  input: UpdateProjectInput;
}>;


export type UpdateProjectMutation = { updateProject:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateProjectSuccess', project: { id: string, name: string, description: string, createdAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeleteProjectMutationVariables = Exact<{
  input: DeleteProjectInput;
}>;


export type DeleteProjectMutation = { deleteProject:
    | { __typename: 'DeleteProjectSuccess', projectId: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreateEnvironmentMutationVariables = Exact<{
  input: CreateEnvironmentInput;
}>;


export type CreateEnvironmentMutation = { createEnvironment:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateEnvironmentSuccess', environment: { id: string, name: string, kind: EnvironmentKind, createdAt: string, project: { id: string, name: string } } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateEnvironmentMutationVariables = Exact<{
  input: UpdateEnvironmentInput;
}>;


export type UpdateEnvironmentMutation = { updateEnvironment:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateEnvironmentSuccess', environment: { id: string, name: string, kind: EnvironmentKind, createdAt: string, project: { id: string, name: string } } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeleteEnvironmentMutationVariables = Exact<{
  input: DeleteEnvironmentInput;
}>;


export type DeleteEnvironmentMutation = { deleteEnvironment:
    | { __typename: 'DeleteEnvironmentSuccess', environmentId: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type CreateTeamMutationVariables = Exact<{
  input: CreateTeamInput;
}>;


export type CreateTeamMutation = { createTeam:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateTeamSuccess', team: { id: string, name: string, createdAt: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateTeamMutationVariables = Exact<{
  input: UpdateTeamInput;
}>;


export type UpdateTeamMutation = { updateTeam:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateTeamSuccess', team: { id: string, name: string, createdAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeleteTeamMutationVariables = Exact<{
  input: DeleteTeamInput;
}>;


export type DeleteTeamMutation = { deleteTeam:
    | { __typename: 'DeleteTeamSuccess', teamId: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type AddTeamMemberMutationVariables = Exact<{
  input: AddTeamMemberInput;
}>;


export type AddTeamMemberMutation = { addTeamMember:
    | { __typename: 'AddTeamMemberSuccess', team: { id: string }, principal: { id: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RemoveTeamMemberMutationVariables = Exact<{
  input: RemoveTeamMemberInput;
}>;


export type RemoveTeamMemberMutation = { removeTeamMember:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RemoveTeamMemberSuccess', team: { id: string }, principal: { id: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ToolCallFieldsFragment = { id: string, status: ToolCallStatus, reasons: Array<string>, notices: Array<string>, tool: string, arguments: unknown, session: string | null, decisionId: string, approvalId: string | null, notBefore: string | null, idempotencyKey: string, createdAt: string, outcome: ToolCallOutcome | null, output: unknown, isDelivered: boolean | null, reportedAt: string | null };

export type ToolCallQueryVariables = Exact<{
  id: string;
}>;


export type ToolCallQuery = { toolCall: { id: string, status: ToolCallStatus, reasons: Array<string>, notices: Array<string>, tool: string, arguments: unknown, session: string | null, decisionId: string, approvalId: string | null, notBefore: string | null, idempotencyKey: string, createdAt: string, outcome: ToolCallOutcome | null, output: unknown, isDelivered: boolean | null, reportedAt: string | null } | null };

export type AuthorizeToolCallMutationVariables = Exact<{
  input: AuthorizeToolCallInput;
}>;


export type AuthorizeToolCallMutation = { authorizeToolCall:
    | { __typename: 'AuthorizeToolCallSuccess', toolCall: { id: string, status: ToolCallStatus, reasons: Array<string>, notices: Array<string>, tool: string, arguments: unknown, session: string | null, decisionId: string, approvalId: string | null, notBefore: string | null, idempotencyKey: string, createdAt: string, outcome: ToolCallOutcome | null, output: unknown, isDelivered: boolean | null, reportedAt: string | null } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'IdempotencyConflictError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type WithdrawToolCallMutationVariables = Exact<{
  input: WithdrawToolCallInput;
}>;


export type WithdrawToolCallMutation = { withdrawToolCall:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
    | { __typename: 'WithdrawToolCallSuccess', toolCall: { id: string, status: ToolCallStatus, reasons: Array<string>, notices: Array<string>, tool: string, arguments: unknown, session: string | null, decisionId: string, approvalId: string | null, notBefore: string | null, idempotencyKey: string, createdAt: string, outcome: ToolCallOutcome | null, output: unknown, isDelivered: boolean | null, reportedAt: string | null } }
   };

export type ReportToolResultMutationVariables = Exact<{
  input: ReportToolResultInput;
}>;


export type ReportToolResultMutation = { reportToolResult:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ReportToolResultSuccess', toolCall: { id: string, status: ToolCallStatus, reasons: Array<string>, notices: Array<string>, tool: string, arguments: unknown, session: string | null, decisionId: string, approvalId: string | null, notBefore: string | null, idempotencyKey: string, createdAt: string, outcome: ToolCallOutcome | null, output: unknown, isDelivered: boolean | null, reportedAt: string | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ToolFieldsFragment = { fullName: string, server: string, name: string, description: string, inputSchema: unknown, source: ToolSource, category: ToolCategory, risk: RiskClass, capability: Capability, digest: string, status: ToolStatus, approvedDigest: string | null, approvedAt: string | null, discoveredAt: string, changedAt: string, toolServer: { id: string } | null, annotations: { title: string | null, readOnlyHint: boolean | null, destructiveHint: boolean | null, idempotentHint: boolean | null, openWorldHint: boolean | null }, approvedBy: { id: string, name: string } | null };

export type ToolsQueryVariables = Exact<{
  filter?: ToolFilter | null | undefined;
}>;


export type ToolsQuery = { tools: Array<{ fullName: string, server: string, name: string, description: string, inputSchema: unknown, source: ToolSource, category: ToolCategory, risk: RiskClass, capability: Capability, digest: string, status: ToolStatus, approvedDigest: string | null, approvedAt: string | null, discoveredAt: string, changedAt: string, toolServer: { id: string } | null, annotations: { title: string | null, readOnlyHint: boolean | null, destructiveHint: boolean | null, idempotentHint: boolean | null, openWorldHint: boolean | null }, approvedBy: { id: string, name: string } | null }> };

export type ToolQueryVariables = Exact<{
  name: string;
}>;


export type ToolQuery = { tool: { fullName: string, server: string, name: string, description: string, inputSchema: unknown, source: ToolSource, category: ToolCategory, risk: RiskClass, capability: Capability, digest: string, status: ToolStatus, approvedDigest: string | null, approvedAt: string | null, discoveredAt: string, changedAt: string, toolServer: { id: string } | null, annotations: { title: string | null, readOnlyHint: boolean | null, destructiveHint: boolean | null, idempotentHint: boolean | null, openWorldHint: boolean | null }, approvedBy: { id: string, name: string } | null } | null };

export type ApproveToolMutationVariables = Exact<{
  input: ApproveToolInput;
}>;


export type ApproveToolMutation = { approveTool:
    | { __typename: 'ApproveToolSuccess', tool: { fullName: string, server: string, name: string, description: string, inputSchema: unknown, source: ToolSource, category: ToolCategory, risk: RiskClass, capability: Capability, digest: string, status: ToolStatus, approvedDigest: string | null, approvedAt: string | null, discoveredAt: string, changedAt: string, toolServer: { id: string } | null, annotations: { title: string | null, readOnlyHint: boolean | null, destructiveHint: boolean | null, idempotentHint: boolean | null, openWorldHint: boolean | null }, approvedBy: { id: string, name: string } | null } }
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ToolServerFieldsFragment = { id: string, name: string, origin: string, url: string | null, headerNames: Array<string>, timeoutMs: number, concurrency: number, enabled: boolean, version: number, toolCount: number, shadowed: boolean, createdAt: string, updatedAt: string, health: { status: ToolServerStatus, circuit: CircuitState, lastError: string | null, lastSeenAt: string | null }, createdBy: { id: string, name: string } | null };

export type ToolServersQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ToolServersQuery = { toolServers: { edges: Array<{ node: { id: string, name: string, origin: string, url: string | null, headerNames: Array<string>, timeoutMs: number, concurrency: number, enabled: boolean, version: number, toolCount: number, shadowed: boolean, createdAt: string, updatedAt: string, health: { status: ToolServerStatus, circuit: CircuitState, lastError: string | null, lastSeenAt: string | null }, createdBy: { id: string, name: string } | null } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type RegisterToolServerMutationVariables = Exact<{
  input: RegisterToolServerInput;
}>;


export type RegisterToolServerMutation = { registerToolServer:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RegisterToolServerSuccess', toolServer: { id: string, name: string, origin: string, url: string | null, headerNames: Array<string>, timeoutMs: number, concurrency: number, enabled: boolean, version: number, toolCount: number, shadowed: boolean, createdAt: string, updatedAt: string, health: { status: ToolServerStatus, circuit: CircuitState, lastError: string | null, lastSeenAt: string | null }, createdBy: { id: string, name: string } | null } }
    | { __typename: 'UnavailableError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateToolServerMutationVariables = Exact<{
  input: UpdateToolServerInput;
}>;


export type UpdateToolServerMutation = { updateToolServer:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UnavailableError', code: ErrorCode, message: string }
    | { __typename: 'UpdateToolServerSuccess', toolServer: { id: string, name: string, origin: string, url: string | null, headerNames: Array<string>, timeoutMs: number, concurrency: number, enabled: boolean, version: number, toolCount: number, shadowed: boolean, createdAt: string, updatedAt: string, health: { status: ToolServerStatus, circuit: CircuitState, lastError: string | null, lastSeenAt: string | null }, createdBy: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RefreshToolServerMutationVariables = Exact<{
  input: RefreshToolServerInput;
}>;


export type RefreshToolServerMutation = { refreshToolServer:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RefreshToolServerSuccess', toolServer: { id: string, name: string, origin: string, url: string | null, headerNames: Array<string>, timeoutMs: number, concurrency: number, enabled: boolean, version: number, toolCount: number, shadowed: boolean, createdAt: string, updatedAt: string, health: { status: ToolServerStatus, circuit: CircuitState, lastError: string | null, lastSeenAt: string | null }, createdBy: { id: string, name: string } | null } }
    | { __typename: 'UnavailableError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RemoveToolServerMutationVariables = Exact<{
  input: RemoveToolServerInput;
}>;


export type RemoveToolServerMutation = { removeToolServer:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RemoveToolServerSuccess', toolServer: { id: string, name: string, origin: string, url: string | null, headerNames: Array<string>, timeoutMs: number, concurrency: number, enabled: boolean, version: number, toolCount: number, shadowed: boolean, createdAt: string, updatedAt: string, health: { status: ToolServerStatus, circuit: CircuitState, lastError: string | null, lastSeenAt: string | null }, createdBy: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type ToolOverrideFieldsFragment = { tool: string, risk: RiskClass | null, category: ToolCategory | null, costMicroUsd: number | null, setAt: string, setBy: { id: string, name: string } | null };

export type ToolOverridesQueryVariables = Exact<{ [key: string]: never; }>;


export type ToolOverridesQuery = { toolOverrides: Array<{ tool: string, risk: RiskClass | null, category: ToolCategory | null, costMicroUsd: number | null, setAt: string, setBy: { id: string, name: string } | null }> };

export type SetToolOverrideMutationVariables = Exact<{
  input: SetToolOverrideInput;
}>;


export type SetToolOverrideMutation = { setToolOverride:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'SetToolOverrideSuccess', toolOverride: { tool: string, risk: RiskClass | null, category: ToolCategory | null, costMicroUsd: number | null, setAt: string, setBy: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RemoveToolOverrideMutationVariables = Exact<{
  input: RemoveToolOverrideInput;
}>;


export type RemoveToolOverrideMutation = { removeToolOverride:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RemoveToolOverrideSuccess', toolOverride: { tool: string, risk: RiskClass | null, category: ToolCategory | null, costMicroUsd: number | null, setAt: string, setBy: { id: string, name: string } | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type WebhookFieldsFragment = { id: string, name: string, url: string, events: Array<WebhookEvent>, enabled: boolean, createdAt: string, updatedAt: string };

export type WebhookDeliveryFieldsFragment = { id: string, event: WebhookEvent, status: WebhookDeliveryStatus, attempts: number, lastError: string | null, createdAt: string, deliveredAt: string | null };

export type WebhooksQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type WebhooksQuery = { webhooks: { edges: Array<{ cursor: string, node: { id: string, name: string, url: string, events: Array<WebhookEvent>, enabled: boolean, createdAt: string, updatedAt: string, deliveries: { edges: Array<{ node: { id: string, event: WebhookEvent, status: WebhookDeliveryStatus, attempts: number, lastError: string | null, createdAt: string, deliveredAt: string | null } }> } } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CreateWebhookMutationVariables = Exact<{
  input: CreateWebhookInput;
}>;


export type CreateWebhookMutation = { createWebhook:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'CreateWebhookSuccess', secret: string, webhook: { id: string, name: string, url: string, events: Array<WebhookEvent>, enabled: boolean, createdAt: string, updatedAt: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'LimitExceededError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UnavailableError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type UpdateWebhookMutationVariables = Exact<{
  input: UpdateWebhookInput;
}>;


export type UpdateWebhookMutation = { updateWebhook:
    | { __typename: 'ConflictError', code: ErrorCode, message: string }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'UpdateWebhookSuccess', webhook: { id: string, name: string, url: string, events: Array<WebhookEvent>, enabled: boolean, createdAt: string, updatedAt: string } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RotateWebhookSecretMutationVariables = Exact<{
  input: RotateWebhookSecretInput;
}>;


export type RotateWebhookSecretMutation = { rotateWebhookSecret:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RotateWebhookSecretSuccess', secret: string, webhook: { id: string, name: string, url: string, events: Array<WebhookEvent>, enabled: boolean, createdAt: string, updatedAt: string } }
    | { __typename: 'UnavailableError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type DeleteWebhookMutationVariables = Exact<{
  input: DeleteWebhookInput;
}>;


export type DeleteWebhookMutation = { deleteWebhook:
    | { __typename: 'DeleteWebhookSuccess', webhook: { id: string, name: string, url: string, events: Array<WebhookEvent>, enabled: boolean, createdAt: string, updatedAt: string } }
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export type RedeliverWebhookMutationVariables = Exact<{
  input: RedeliverWebhookInput;
}>;


export type RedeliverWebhookMutation = { redeliverWebhook:
    | { __typename: 'ForbiddenError', code: ErrorCode, message: string }
    | { __typename: 'InvalidStateError', code: ErrorCode, message: string }
    | { __typename: 'NotFoundError', code: ErrorCode, message: string }
    | { __typename: 'RedeliverWebhookSuccess', delivery: { id: string, event: WebhookEvent, status: WebhookDeliveryStatus, attempts: number, lastError: string | null, createdAt: string, deliveredAt: string | null } }
    | { __typename: 'ValidationError', code: ErrorCode, message: string, problems: Array<{ path: string, message: string, expected: string | null, line: number | null, column: number | null }> }
   };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const AgentFieldsFragmentDoc = new TypedDocumentString(`
    fragment AgentFields on Agent {
  id
  name
  description
  owner
  tags
  status
  pauseReason
  createdAt
  updatedAt
  archivedAt
  project {
    id
    name
  }
  team {
    id
    name
  }
  latestVersion {
    id
    version
    digest
  }
}
    `, {"fragmentName":"AgentFields"}) as unknown as TypedDocumentString<AgentFieldsFragment, unknown>;
export const AgentVersionFieldsFragmentDoc = new TypedDocumentString(`
    fragment AgentVersionFields on AgentVersion {
  id
  version
  digest
  definition
  createdAt
}
    `, {"fragmentName":"AgentVersionFields"}) as unknown as TypedDocumentString<AgentVersionFieldsFragment, unknown>;
export const DeploymentFieldsFragmentDoc = new TypedDocumentString(`
    fragment DeploymentFields on Deployment {
  id
  kind
  createdAt
  supersededAt
  environment {
    id
    name
    kind
  }
  version {
    id
    version
  }
}
    `, {"fragmentName":"DeploymentFields"}) as unknown as TypedDocumentString<DeploymentFieldsFragment, unknown>;
export const ApprovalCommentFieldsFragmentDoc = new TypedDocumentString(`
    fragment ApprovalCommentFields on ApprovalComment {
  id
  kind
  text
  createdAt
  change
  author {
    id
    name
  }
  question {
    id
  }
  answer {
    id
    text
  }
}
    `, {"fragmentName":"ApprovalCommentFields"}) as unknown as TypedDocumentString<ApprovalCommentFieldsFragment, unknown>;
export const ApprovalContentFragmentDoc = new TypedDocumentString(`
    fragment ApprovalContent on Approval {
  costMicroUsd
  isEdited
  requestedArguments
  editedAt
  editedBy {
    id
    name
  }
  presentation {
    summary
    values {
      path
      text
      isTruncated
      isChanged
      before
    }
    omittedValues
    changes {
      path
      added
      removed
      isWhole
      isTruncated
      comparedWithStepId
      comparedWithAt
      lines {
        kind
        oldLine
        newLine
        text
      }
    }
    hidden {
      codePoint
      name
      kind
      count
    }
    warnings
  }
  context {
    agentName
    agentVersion
    environmentName
    environmentKind
    requesterName
    labels
    startedAt
    stepTotal
    stepsFinished
    lastSteps {
      stepId
      status
      finishedAt
    }
    nextSteps
  }
  comments(first: 100) {
    edges {
      node {
        ...ApprovalCommentFields
      }
    }
  }
}
    fragment ApprovalCommentFields on ApprovalComment {
  id
  kind
  text
  createdAt
  change
  author {
    id
    name
  }
  question {
    id
  }
  answer {
    id
    text
  }
}`, {"fragmentName":"ApprovalContent"}) as unknown as TypedDocumentString<ApprovalContentFragment, unknown>;
export const WaitFieldsFragmentDoc = new TypedDocumentString(`
    fragment WaitFields on WaitFigures {
  count
  medianMs
  p90Ms
  longestMs
}
    `, {"fragmentName":"WaitFields"}) as unknown as TypedDocumentString<WaitFieldsFragment, unknown>;
export const ApproverGroupFieldsFragmentDoc = new TypedDocumentString(`
    fragment ApproverGroupFields on ApproverGroupFigures {
  kind
  role
  team {
    id
    name
  }
  principal {
    id
    name
  }
  pending
  pendingLongestMs
  waits {
    ...WaitFields
  }
}
    fragment WaitFields on WaitFigures {
  count
  medianMs
  p90Ms
  longestMs
}`, {"fragmentName":"ApproverGroupFields"}) as unknown as TypedDocumentString<ApproverGroupFieldsFragment, unknown>;
export const ApprovalPolicyFieldsFragmentDoc = new TypedDocumentString(`
    fragment ApprovalPolicyFields on ApprovalPolicyFigures {
  isStep
  policy {
    id
    name
  }
  pending
  pendingLongestMs
  approved
  rejected
  expired
  waits {
    ...WaitFields
  }
}
    fragment WaitFields on WaitFigures {
  count
  medianMs
  p90Ms
  longestMs
}`, {"fragmentName":"ApprovalPolicyFields"}) as unknown as TypedDocumentString<ApprovalPolicyFieldsFragment, unknown>;
export const ApprovalFieldsFragmentDoc = new TypedDocumentString(`
    fragment ApprovalFields on Approval {
  id
  status
  source
  title
  reason
  risk
  stepId
  itemIndex
  tool
  arguments
  digest
  createdAt
  expiresAt
  decidedAt
  note
  canDecide
  cannotDecideReason
  execution {
    id
  }
  agent {
    id
    name
  }
  environment {
    id
    name
  }
  requestedBy {
    id
    name
  }
  decidedBy {
    id
    name
  }
}
    `, {"fragmentName":"ApprovalFields"}) as unknown as TypedDocumentString<ApprovalFieldsFragment, unknown>;
export const ApproverFieldsFragmentDoc = new TypedDocumentString(`
    fragment ApproverFields on Approver {
  principal {
    id
    name
  }
  team {
    id
    name
  }
  role
}
    `, {"fragmentName":"ApproverFields"}) as unknown as TypedDocumentString<ApproverFieldsFragment, unknown>;
export const ApprovalPeopleFragmentDoc = new TypedDocumentString(`
    fragment ApprovalPeople on Approval {
  stages {
    index
    name
    quorum
    isComplete
    isCurrent
    approvers {
      ...ApproverFields
    }
  }
  votes {
    stage
    decision
    note
    votedAt
    principal {
      id
      name
    }
    onBehalfOf {
      id
      name
    }
  }
  escalation {
    afterMs
    escalatedAt
    approvers {
      ...ApproverFields
    }
  }
  isOwnerExcluded
  warnedAt
}
    fragment ApproverFields on Approver {
  principal {
    id
    name
  }
  team {
    id
    name
  }
  role
}`, {"fragmentName":"ApprovalPeople"}) as unknown as TypedDocumentString<ApprovalPeopleFragment, unknown>;
export const DelegationFieldsFragmentDoc = new TypedDocumentString(`
    fragment DelegationFields on ApprovalDelegation {
  id
  startsAt
  endsAt
  reason
  createdAt
  revokedAt
  from {
    id
    name
  }
  to {
    id
    name
  }
}
    `, {"fragmentName":"DelegationFields"}) as unknown as TypedDocumentString<DelegationFieldsFragment, unknown>;
export const AuditEventFieldsFragmentDoc = new TypedDocumentString(`
    fragment AuditEventFields on AuditEvent {
  id
  action
  principalId
  subjectType
  subjectId
  beforeDigest
  afterDigest
  address
  userAgent
  traceId
  occurredAt
}
    `, {"fragmentName":"AuditEventFields"}) as unknown as TypedDocumentString<AuditEventFieldsFragment, unknown>;
export const DataGrantFieldsFragmentDoc = new TypedDocumentString(`
    fragment DataGrantFields on DataGrant {
  id
  data
  reason
  isInForce
  createdAt
  revokedAt
  ownerAgent {
    id
    name
  }
  granteeAgent {
    id
    name
  }
}
    `, {"fragmentName":"DataGrantFields"}) as unknown as TypedDocumentString<DataGrantFieldsFragment, unknown>;
export const EventSinkFieldsFragmentDoc = new TypedDocumentString(`
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
    `, {"fragmentName":"EventSinkFields"}) as unknown as TypedDocumentString<EventSinkFieldsFragment, unknown>;
export const EventSinkHealthFieldsFragmentDoc = new TypedDocumentString(`
    fragment EventSinkHealthFields on EventSinkHealth {
  state
  lagEvents
  lagSeconds
  pendingExecutions
  deadLetters
  isCapped
  failures
  retryAt
  lastSuccessAt
  lastError
  lastErrorAt
}
    `, {"fragmentName":"EventSinkHealthFields"}) as unknown as TypedDocumentString<EventSinkHealthFieldsFragment, unknown>;
export const EventDeliveryFieldsFragmentDoc = new TypedDocumentString(`
    fragment EventDeliveryFields on EventDelivery {
  id
  executionId
  sequence
  type
  status
  attempts
  firstAttemptAt
  nextAttemptAt
  lastError
  createdAt
  deadLetteredAt
}
    `, {"fragmentName":"EventDeliveryFields"}) as unknown as TypedDocumentString<EventDeliveryFieldsFragment, unknown>;
export const SignalFieldsFragmentDoc = new TypedDocumentString(`
    fragment SignalFields on Signal {
  id
  name
  payload
  sentAt
  receivedByStepId
  receivedAt
}
    `, {"fragmentName":"SignalFields"}) as unknown as TypedDocumentString<SignalFieldsFragment, unknown>;
export const ExecutionFieldsFragmentDoc = new TypedDocumentString(`
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
    `, {"fragmentName":"ExecutionFields"}) as unknown as TypedDocumentString<ExecutionFieldsFragment, unknown>;
export const EventFieldsFragmentDoc = new TypedDocumentString(`
    fragment EventFields on ExecutionEvent {
  executionId
  toolCallId
  __typename
  sequence
  type
  occurredAt
  ... on StepEvent {
    stepId
    itemIndex
  }
  ... on ExecutionQueued {
    requestedBy
  }
  ... on ExecutionScheduled {
    requestedBy
    startAt
  }
  ... on ExecutionDeferred {
    decisionId
    startAt
  }
  ... on ExecutionPaused {
    reason
    pausedBy
  }
  ... on ExecutionResumed {
    resumedBy
    resumedAs
  }
  ... on ExecutionSignalled {
    signalId
    name
    sentBy
  }
  ... on ExecutionFailed {
    failure {
      code
      message
      stepId
    }
  }
  ... on ExecutionBlocked {
    decisionId
    failure {
      code
      message
      stepId
    }
  }
  ... on ExecutionCancelled {
    reason
    cancelledBy
  }
  ... on StepReused {
    status
    outputBytes
    branchCase
    itemTotal
    ranges
  }
  ... on StepExpanded {
    total
  }
  ... on StepIterated {
    iteration
  }
  ... on StepStarted {
    attempt
    decisionId
  }
  ... on StepChildStarted {
    childExecutionId
  }
  ... on StepWaiting {
    wakeAt
    signal
  }
  ... on StepDeferred {
    decisionId
    wakeAt
  }
  ... on SignalReceived {
    signalId
    name
  }
  ... on StepSucceeded {
    attempt
    outputBytes
    branchCase
  }
  ... on StepRetryScheduled {
    attempt
    retryAt
    failure {
      code
      message
      stepId
    }
  }
  ... on StepInterrupted {
    attempt
  }
  ... on StepHalted {
    attempt
    killSwitchId
    reason
  }
  ... on StepFailed {
    attempt
    failure {
      code
      message
      stepId
    }
  }
  ... on StepBlocked {
    attempt
    decisionId
    failure {
      code
      message
      stepId
    }
  }
  ... on ApprovalRequested {
    approvalId
    expiresAt
  }
  ... on ApprovalApproved {
    approvalId
    decidedBy
  }
  ... on ApprovalRejected {
    approvalId
    decidedBy
  }
  ... on ApprovalExpired {
    approvalId
  }
  ... on ApprovalCancelled {
    approvalId
  }
  ... on ApprovalVoted {
    approvalId
    votedBy
    stage
  }
  ... on ApprovalAdvanced {
    approvalId
    stage
  }
  ... on ApprovalEscalated {
    approvalId
    stage
  }
  ... on ApprovalWarned {
    approvalId
    expiresAt
  }
  ... on ApprovalExtended {
    approvalId
    extendedBy
    expiresAt
  }
  ... on ApprovalDelegated {
    approvalId
    delegatedBy
    delegateId
  }
  ... on ApprovalEdited {
    approvalId
    digest
    editedBy
  }
  ... on ApprovalCommented {
    approvalId
    commentId
    commentKind
    commentedBy
  }
}
    `, {"fragmentName":"EventFields"}) as unknown as TypedDocumentString<EventFieldsFragment, unknown>;
export const FailureFragmentDoc = new TypedDocumentString(`
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
    `, {"fragmentName":"Failure"}) as unknown as TypedDocumentString<FailureFragment, unknown>;
export const PageFragmentDoc = new TypedDocumentString(`
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
    `, {"fragmentName":"Page"}) as unknown as TypedDocumentString<PageFragment, unknown>;
export const SlotFieldsFragmentDoc = new TypedDocumentString(`
    fragment SlotFields on Slot {
  stepId
  status
  queuedAt
  startedAt
  finishedAt
  wakeAt
  signal
  childExecution {
    id
    status
  }
  failure {
    code
    message
    stepId
  }
}
    `, {"fragmentName":"SlotFields"}) as unknown as TypedDocumentString<SlotFieldsFragment, unknown>;
export const ComparedDecisionFieldsFragmentDoc = new TypedDocumentString(`
    fragment ComparedDecisionFields on ComparedDecision {
  action
  effect
  reasons
  count
  findings {
    policyName
    version
    kind
    mode
    effect
    reason
  }
}
    `, {"fragmentName":"ComparedDecisionFields"}) as unknown as TypedDocumentString<ComparedDecisionFieldsFragment, unknown>;
export const ComparedStepFieldsFragmentDoc = new TypedDocumentString(`
    fragment ComparedStepFields on ComparedStep {
  waitedMs
  ranMs
  tookMs
  outputDigest
  branchCase
  attempts
  reused
  step {
    ...SlotFields
    kind
    itemTotal
    itemDone
    itemFailed
  }
  decisions {
    ...ComparedDecisionFields
  }
}
    fragment SlotFields on Slot {
  stepId
  status
  queuedAt
  startedAt
  finishedAt
  wakeAt
  signal
  childExecution {
    id
    status
  }
  failure {
    code
    message
    stepId
  }
}
fragment ComparedDecisionFields on ComparedDecision {
  action
  effect
  reasons
  count
  findings {
    policyName
    version
    kind
    mode
    effect
    reason
  }
}`, {"fragmentName":"ComparedStepFields"}) as unknown as TypedDocumentString<ComparedStepFieldsFragment, unknown>;
export const KillSwitchFieldsFragmentDoc = new TypedDocumentString(`
    fragment KillSwitchFields on KillSwitch {
  id
  scope
  pattern
  isEngaged
  reason
  engagedAt
  releaseReason
  releasedAt
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
}
    `, {"fragmentName":"KillSwitchFields"}) as unknown as TypedDocumentString<KillSwitchFieldsFragment, unknown>;
export const PolicyScopeFieldsFragmentDoc = new TypedDocumentString(`
    fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
    `, {"fragmentName":"PolicyScopeFields"}) as unknown as TypedDocumentString<PolicyScopeFieldsFragment, unknown>;
export const PolicyAttachmentFieldsFragmentDoc = new TypedDocumentString(`
    fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
    fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}`, {"fragmentName":"PolicyAttachmentFields"}) as unknown as TypedDocumentString<PolicyAttachmentFieldsFragment, unknown>;
export const PolicyFieldsFragmentDoc = new TypedDocumentString(`
    fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}
    fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}`, {"fragmentName":"PolicyFields"}) as unknown as TypedDocumentString<PolicyFieldsFragment, unknown>;
export const DecisionFieldsFragmentDoc = new TypedDocumentString(`
    fragment DecisionFields on Decision {
  id
  action
  effect
  reasons
  stepId
  itemIndex
  input
  redacted
  inputDigest
  durationMicros
  createdAt
  tool
  principal {
    id
    name
  }
  execution {
    id
  }
  findings {
    policyName
    version
    kind
    mode
    effect
    reason
  }
}
    `, {"fragmentName":"DecisionFields"}) as unknown as TypedDocumentString<DecisionFieldsFragment, unknown>;
export const PrincipalFieldsFragmentDoc = new TypedDocumentString(`
    fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}
    `, {"fragmentName":"PrincipalFields"}) as unknown as TypedDocumentString<PrincipalFieldsFragment, unknown>;
export const RoleGrantFieldsFragmentDoc = new TypedDocumentString(`
    fragment RoleGrantFields on RoleGrant {
  id
  role
  scopeKind
  createdAt
  principal {
    id
    name
  }
  granteeTeam {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  team {
    id
    name
  }
}
    `, {"fragmentName":"RoleGrantFields"}) as unknown as TypedDocumentString<RoleGrantFieldsFragment, unknown>;
export const ApiKeyFieldsFragmentDoc = new TypedDocumentString(`
    fragment ApiKeyFields on ApiKey {
  id
  name
  roles
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
  principal {
    id
    name
  }
  environment {
    id
    name
  }
}
    `, {"fragmentName":"ApiKeyFields"}) as unknown as TypedDocumentString<ApiKeyFieldsFragment, unknown>;
export const LimitFieldsFragmentDoc = new TypedDocumentString(`
    fragment LimitFields on ConcurrencyLimit {
  id
  scope
  maxRunning
  updatedAt
  tenant {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
}
    `, {"fragmentName":"LimitFields"}) as unknown as TypedDocumentString<LimitFieldsFragment, unknown>;
export const BulkOperationFieldsFragmentDoc = new TypedDocumentString(`
    fragment BulkOperationFields on BulkOperation {
  id
  status
  reason
  matched
  cancelled
  failed
  createdAt
  finishedAt
}
    `, {"fragmentName":"BulkOperationFields"}) as unknown as TypedDocumentString<BulkOperationFieldsFragment, unknown>;
export const SimulationFieldsFragmentDoc = new TypedDocumentString(`
    fragment SimulationFields on PolicySimulation {
  id
  status
  since
  until
  total
  processed
  changed
  drifted
  failed
  redacted
  error
  createdAt
  finishedAt
  requestedBy {
    id
    name
  }
  verdicts {
    before
    after
    count
  }
}
    `, {"fragmentName":"SimulationFields"}) as unknown as TypedDocumentString<SimulationFieldsFragment, unknown>;
export const ProjectFieldsFragmentDoc = new TypedDocumentString(`
    fragment ProjectFields on Project {
  id
  name
  description
  createdAt
}
    `, {"fragmentName":"ProjectFields"}) as unknown as TypedDocumentString<ProjectFieldsFragment, unknown>;
export const EnvironmentFieldsFragmentDoc = new TypedDocumentString(`
    fragment EnvironmentFields on Environment {
  id
  name
  kind
  createdAt
  project {
    id
    name
  }
}
    `, {"fragmentName":"EnvironmentFields"}) as unknown as TypedDocumentString<EnvironmentFieldsFragment, unknown>;
export const TeamFieldsFragmentDoc = new TypedDocumentString(`
    fragment TeamFields on Team {
  id
  name
  createdAt
}
    `, {"fragmentName":"TeamFields"}) as unknown as TypedDocumentString<TeamFieldsFragment, unknown>;
export const ToolCallFieldsFragmentDoc = new TypedDocumentString(`
    fragment ToolCallFields on ToolCall {
  id
  status
  reasons
  notices
  tool
  arguments
  session
  decisionId
  approvalId
  notBefore
  idempotencyKey
  createdAt
  outcome
  output
  isDelivered
  reportedAt
}
    `, {"fragmentName":"ToolCallFields"}) as unknown as TypedDocumentString<ToolCallFieldsFragment, unknown>;
export const ToolFieldsFragmentDoc = new TypedDocumentString(`
    fragment ToolFields on Tool {
  fullName
  server
  toolServer {
    id
  }
  name
  description
  inputSchema
  annotations {
    title
    readOnlyHint
    destructiveHint
    idempotentHint
    openWorldHint
  }
  source
  category
  risk
  capability
  digest
  status
  approvedDigest
  approvedBy {
    id
    name
  }
  approvedAt
  discoveredAt
  changedAt
}
    `, {"fragmentName":"ToolFields"}) as unknown as TypedDocumentString<ToolFieldsFragment, unknown>;
export const ToolServerFieldsFragmentDoc = new TypedDocumentString(`
    fragment ToolServerFields on ToolServer {
  id
  name
  origin
  url
  headerNames
  timeoutMs
  concurrency
  enabled
  version
  toolCount
  shadowed
  health {
    status
    circuit
    lastError
    lastSeenAt
  }
  createdBy {
    id
    name
  }
  createdAt
  updatedAt
}
    `, {"fragmentName":"ToolServerFields"}) as unknown as TypedDocumentString<ToolServerFieldsFragment, unknown>;
export const ToolOverrideFieldsFragmentDoc = new TypedDocumentString(`
    fragment ToolOverrideFields on ToolOverride {
  tool
  risk
  category
  costMicroUsd
  setBy {
    id
    name
  }
  setAt
}
    `, {"fragmentName":"ToolOverrideFields"}) as unknown as TypedDocumentString<ToolOverrideFieldsFragment, unknown>;
export const WebhookFieldsFragmentDoc = new TypedDocumentString(`
    fragment WebhookFields on Webhook {
  id
  name
  url
  events
  enabled
  createdAt
  updatedAt
}
    `, {"fragmentName":"WebhookFields"}) as unknown as TypedDocumentString<WebhookFieldsFragment, unknown>;
export const WebhookDeliveryFieldsFragmentDoc = new TypedDocumentString(`
    fragment WebhookDeliveryFields on WebhookDelivery {
  id
  event
  status
  attempts
  lastError
  createdAt
  deliveredAt
}
    `, {"fragmentName":"WebhookDeliveryFields"}) as unknown as TypedDocumentString<WebhookDeliveryFieldsFragment, unknown>;
export const AgentDocument = new TypedDocumentString(`
    query agent($id: ID!) {
  agent(id: $id) {
    ...AgentFields
    versions {
      edges {
        node {
          id
          version
          digest
          createdAt
        }
      }
      pageInfo {
        ...Page
      }
    }
    deployments {
      edges {
        node {
          ...DeploymentFields
        }
      }
      pageInfo {
        ...Page
      }
    }
  }
}
    fragment AgentFields on Agent {
  id
  name
  description
  owner
  tags
  status
  pauseReason
  createdAt
  updatedAt
  archivedAt
  project {
    id
    name
  }
  team {
    id
    name
  }
  latestVersion {
    id
    version
    digest
  }
}
fragment DeploymentFields on Deployment {
  id
  kind
  createdAt
  supersededAt
  environment {
    id
    name
    kind
  }
  version {
    id
    version
  }
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<AgentQuery, AgentQueryVariables>;
export const AgentsDocument = new TypedDocumentString(`
    query agents($first: Int, $after: String, $filter: AgentFilter) {
  agents(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...AgentFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment AgentFields on Agent {
  id
  name
  description
  owner
  tags
  status
  pauseReason
  createdAt
  updatedAt
  archivedAt
  project {
    id
    name
  }
  team {
    id
    name
  }
  latestVersion {
    id
    version
    digest
  }
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<AgentsQuery, AgentsQueryVariables>;
export const CreateAgentDocument = new TypedDocumentString(`
    mutation createAgent($input: CreateAgentInput!) {
  createAgent(input: $input) {
    __typename
    ... on CreateAgentSuccess {
      agent {
        ...AgentFields
      }
    }
    ...Failure
  }
}
    fragment AgentFields on Agent {
  id
  name
  description
  owner
  tags
  status
  pauseReason
  createdAt
  updatedAt
  archivedAt
  project {
    id
    name
  }
  team {
    id
    name
  }
  latestVersion {
    id
    version
    digest
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<CreateAgentMutation, CreateAgentMutationVariables>;
export const UpdateAgentDocument = new TypedDocumentString(`
    mutation updateAgent($input: UpdateAgentInput!) {
  updateAgent(input: $input) {
    __typename
    ... on UpdateAgentSuccess {
      agent {
        ...AgentFields
      }
    }
    ...Failure
  }
}
    fragment AgentFields on Agent {
  id
  name
  description
  owner
  tags
  status
  pauseReason
  createdAt
  updatedAt
  archivedAt
  project {
    id
    name
  }
  team {
    id
    name
  }
  latestVersion {
    id
    version
    digest
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<UpdateAgentMutation, UpdateAgentMutationVariables>;
export const ArchiveAgentDocument = new TypedDocumentString(`
    mutation archiveAgent($input: ArchiveAgentInput!) {
  archiveAgent(input: $input) {
    __typename
    ... on ArchiveAgentSuccess {
      agent {
        ...AgentFields
      }
    }
    ...Failure
  }
}
    fragment AgentFields on Agent {
  id
  name
  description
  owner
  tags
  status
  pauseReason
  createdAt
  updatedAt
  archivedAt
  project {
    id
    name
  }
  team {
    id
    name
  }
  latestVersion {
    id
    version
    digest
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<ArchiveAgentMutation, ArchiveAgentMutationVariables>;
export const ActivateAgentDocument = new TypedDocumentString(`
    mutation activateAgent($input: ActivateAgentInput!) {
  activateAgent(input: $input) {
    __typename
    ... on ActivateAgentSuccess {
      agent {
        ...AgentFields
      }
    }
    ...Failure
  }
}
    fragment AgentFields on Agent {
  id
  name
  description
  owner
  tags
  status
  pauseReason
  createdAt
  updatedAt
  archivedAt
  project {
    id
    name
  }
  team {
    id
    name
  }
  latestVersion {
    id
    version
    digest
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<ActivateAgentMutation, ActivateAgentMutationVariables>;
export const PauseAgentDocument = new TypedDocumentString(`
    mutation pauseAgent($input: PauseAgentInput!) {
  pauseAgent(input: $input) {
    __typename
    ... on PauseAgentSuccess {
      agent {
        ...AgentFields
      }
    }
    ...Failure
  }
}
    fragment AgentFields on Agent {
  id
  name
  description
  owner
  tags
  status
  pauseReason
  createdAt
  updatedAt
  archivedAt
  project {
    id
    name
  }
  team {
    id
    name
  }
  latestVersion {
    id
    version
    digest
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<PauseAgentMutation, PauseAgentMutationVariables>;
export const PublishAgentVersionDocument = new TypedDocumentString(`
    mutation publishAgentVersion($input: PublishAgentVersionInput!) {
  publishAgentVersion(input: $input) {
    __typename
    ... on PublishAgentVersionSuccess {
      version {
        ...AgentVersionFields
      }
    }
    ...Failure
  }
}
    fragment AgentVersionFields on AgentVersion {
  id
  version
  digest
  definition
  createdAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<PublishAgentVersionMutation, PublishAgentVersionMutationVariables>;
export const PromoteAgentVersionDocument = new TypedDocumentString(`
    mutation promoteAgentVersion($input: PromoteAgentVersionInput!) {
  promoteAgentVersion(input: $input) {
    __typename
    ... on PromoteAgentVersionSuccess {
      deployment {
        ...DeploymentFields
      }
    }
    ...Failure
  }
}
    fragment DeploymentFields on Deployment {
  id
  kind
  createdAt
  supersededAt
  environment {
    id
    name
    kind
  }
  version {
    id
    version
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<PromoteAgentVersionMutation, PromoteAgentVersionMutationVariables>;
export const RollbackAgentDocument = new TypedDocumentString(`
    mutation rollbackAgent($input: RollbackAgentInput!) {
  rollbackAgent(input: $input) {
    __typename
    ... on RollbackAgentSuccess {
      deployment {
        ...DeploymentFields
      }
    }
    ...Failure
  }
}
    fragment DeploymentFields on Deployment {
  id
  kind
  createdAt
  supersededAt
  environment {
    id
    name
    kind
  }
  version {
    id
    version
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RollbackAgentMutation, RollbackAgentMutationVariables>;
export const EditApprovalDocument = new TypedDocumentString(`
    mutation editApproval($input: EditApprovalInput!) {
  editApproval(input: $input) {
    __typename
    ... on EditApprovalSuccess {
      approval {
        ...ApprovalFields
        isEdited
        requestedArguments
      }
    }
    ...Failure
  }
}
    fragment ApprovalFields on Approval {
  id
  status
  source
  title
  reason
  risk
  stepId
  itemIndex
  tool
  arguments
  digest
  createdAt
  expiresAt
  decidedAt
  note
  canDecide
  cannotDecideReason
  execution {
    id
  }
  agent {
    id
    name
  }
  environment {
    id
    name
  }
  requestedBy {
    id
    name
  }
  decidedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<EditApprovalMutation, EditApprovalMutationVariables>;
export const CommentOnApprovalDocument = new TypedDocumentString(`
    mutation commentOnApproval($input: CommentOnApprovalInput!) {
  commentOnApproval(input: $input) {
    __typename
    ... on CommentOnApprovalSuccess {
      comment {
        ...ApprovalCommentFields
      }
    }
    ...Failure
  }
}
    fragment ApprovalCommentFields on ApprovalComment {
  id
  kind
  text
  createdAt
  change
  author {
    id
    name
  }
  question {
    id
  }
  answer {
    id
    text
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<CommentOnApprovalMutation, CommentOnApprovalMutationVariables>;
export const AskAboutApprovalDocument = new TypedDocumentString(`
    mutation askAboutApproval($input: AskAboutApprovalInput!) {
  askAboutApproval(input: $input) {
    __typename
    ... on AskAboutApprovalSuccess {
      question {
        ...ApprovalCommentFields
      }
    }
    ...Failure
  }
}
    fragment ApprovalCommentFields on ApprovalComment {
  id
  kind
  text
  createdAt
  change
  author {
    id
    name
  }
  question {
    id
  }
  answer {
    id
    text
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<AskAboutApprovalMutation, AskAboutApprovalMutationVariables>;
export const AnswerApprovalQuestionDocument = new TypedDocumentString(`
    mutation answerApprovalQuestion($input: AnswerApprovalQuestionInput!) {
  answerApprovalQuestion(input: $input) {
    __typename
    ... on AnswerApprovalQuestionSuccess {
      answer {
        ...ApprovalCommentFields
      }
    }
    ...Failure
  }
}
    fragment ApprovalCommentFields on ApprovalComment {
  id
  kind
  text
  createdAt
  change
  author {
    id
    name
  }
  question {
    id
  }
  answer {
    id
    text
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<AnswerApprovalQuestionMutation, AnswerApprovalQuestionMutationVariables>;
export const ApprovalMetricsDocument = new TypedDocumentString(`
    query approvalMetrics($filter: ApprovalMetricsFilter) {
  approvalMetrics(filter: $filter) {
    since
    until
    isCapped
    pending {
      waits {
        ...WaitFields
      }
      expiringSoon
      byRisk {
        risk
        count
      }
    }
    decided {
      approved
      rejected
      expired
      cancelled
      waits {
        ...WaitFields
      }
    }
    byApprover {
      approver {
        id
        name
      }
      approvals
      rejections
      waits {
        ...WaitFields
      }
    }
    byGroup {
      ...ApproverGroupFields
    }
    byPolicy {
      ...ApprovalPolicyFields
    }
    bottlenecks {
      group {
        ...ApproverGroupFields
      }
      policy {
        ...ApprovalPolicyFields
      }
      waitingMs
      share
    }
  }
}
    fragment WaitFields on WaitFigures {
  count
  medianMs
  p90Ms
  longestMs
}
fragment ApproverGroupFields on ApproverGroupFigures {
  kind
  role
  team {
    id
    name
  }
  principal {
    id
    name
  }
  pending
  pendingLongestMs
  waits {
    ...WaitFields
  }
}
fragment ApprovalPolicyFields on ApprovalPolicyFigures {
  isStep
  policy {
    id
    name
  }
  pending
  pendingLongestMs
  approved
  rejected
  expired
  waits {
    ...WaitFields
  }
}`) as unknown as TypedDocumentString<ApprovalMetricsQuery, ApprovalMetricsQueryVariables>;
export const ApprovalDocument = new TypedDocumentString(`
    query approval($id: ID!) {
  approval(id: $id) {
    ...ApprovalFields
    ...ApprovalPeople
    ...ApprovalContent
  }
}
    fragment ApprovalCommentFields on ApprovalComment {
  id
  kind
  text
  createdAt
  change
  author {
    id
    name
  }
  question {
    id
  }
  answer {
    id
    text
  }
}
fragment ApprovalContent on Approval {
  costMicroUsd
  isEdited
  requestedArguments
  editedAt
  editedBy {
    id
    name
  }
  presentation {
    summary
    values {
      path
      text
      isTruncated
      isChanged
      before
    }
    omittedValues
    changes {
      path
      added
      removed
      isWhole
      isTruncated
      comparedWithStepId
      comparedWithAt
      lines {
        kind
        oldLine
        newLine
        text
      }
    }
    hidden {
      codePoint
      name
      kind
      count
    }
    warnings
  }
  context {
    agentName
    agentVersion
    environmentName
    environmentKind
    requesterName
    labels
    startedAt
    stepTotal
    stepsFinished
    lastSteps {
      stepId
      status
      finishedAt
    }
    nextSteps
  }
  comments(first: 100) {
    edges {
      node {
        ...ApprovalCommentFields
      }
    }
  }
}
fragment ApprovalFields on Approval {
  id
  status
  source
  title
  reason
  risk
  stepId
  itemIndex
  tool
  arguments
  digest
  createdAt
  expiresAt
  decidedAt
  note
  canDecide
  cannotDecideReason
  execution {
    id
  }
  agent {
    id
    name
  }
  environment {
    id
    name
  }
  requestedBy {
    id
    name
  }
  decidedBy {
    id
    name
  }
}
fragment ApproverFields on Approver {
  principal {
    id
    name
  }
  team {
    id
    name
  }
  role
}
fragment ApprovalPeople on Approval {
  stages {
    index
    name
    quorum
    isComplete
    isCurrent
    approvers {
      ...ApproverFields
    }
  }
  votes {
    stage
    decision
    note
    votedAt
    principal {
      id
      name
    }
    onBehalfOf {
      id
      name
    }
  }
  escalation {
    afterMs
    escalatedAt
    approvers {
      ...ApproverFields
    }
  }
  isOwnerExcluded
  warnedAt
}`) as unknown as TypedDocumentString<ApprovalQuery, ApprovalQueryVariables>;
export const ApprovalDelegationsDocument = new TypedDocumentString(`
    query approvalDelegations($first: Int, $after: String, $filter: ApprovalDelegationFilter) {
  approvalDelegations(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...DelegationFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment DelegationFields on ApprovalDelegation {
  id
  startsAt
  endsAt
  reason
  createdAt
  revokedAt
  from {
    id
    name
  }
  to {
    id
    name
  }
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<ApprovalDelegationsQuery, ApprovalDelegationsQueryVariables>;
export const ApprovalsDocument = new TypedDocumentString(`
    query approvals($first: Int, $after: String, $filter: ApprovalFilter) {
  approvals(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...ApprovalFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment ApprovalFields on Approval {
  id
  status
  source
  title
  reason
  risk
  stepId
  itemIndex
  tool
  arguments
  digest
  createdAt
  expiresAt
  decidedAt
  note
  canDecide
  cannotDecideReason
  execution {
    id
  }
  agent {
    id
    name
  }
  environment {
    id
    name
  }
  requestedBy {
    id
    name
  }
  decidedBy {
    id
    name
  }
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<ApprovalsQuery, ApprovalsQueryVariables>;
export const DecideApprovalDocument = new TypedDocumentString(`
    mutation decideApproval($input: DecideApprovalInput!) {
  decideApproval(input: $input) {
    __typename
    ... on DecideApprovalSuccess {
      approval {
        ...ApprovalFields
      }
    }
    ...Failure
  }
}
    fragment ApprovalFields on Approval {
  id
  status
  source
  title
  reason
  risk
  stepId
  itemIndex
  tool
  arguments
  digest
  createdAt
  expiresAt
  decidedAt
  note
  canDecide
  cannotDecideReason
  execution {
    id
  }
  agent {
    id
    name
  }
  environment {
    id
    name
  }
  requestedBy {
    id
    name
  }
  decidedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DecideApprovalMutation, DecideApprovalMutationVariables>;
export const DecideApprovalsDocument = new TypedDocumentString(`
    mutation decideApprovals($input: DecideApprovalsInput!) {
  decideApprovals(input: $input) {
    __typename
    ... on DecideApprovalsSuccess {
      results {
        approvalId
        refusal {
          code
          message
        }
        approval {
          ...ApprovalFields
        }
      }
    }
    ...Failure
  }
}
    fragment ApprovalFields on Approval {
  id
  status
  source
  title
  reason
  risk
  stepId
  itemIndex
  tool
  arguments
  digest
  createdAt
  expiresAt
  decidedAt
  note
  canDecide
  cannotDecideReason
  execution {
    id
  }
  agent {
    id
    name
  }
  environment {
    id
    name
  }
  requestedBy {
    id
    name
  }
  decidedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DecideApprovalsMutation, DecideApprovalsMutationVariables>;
export const ExtendApprovalDocument = new TypedDocumentString(`
    mutation extendApproval($input: ExtendApprovalInput!) {
  extendApproval(input: $input) {
    __typename
    ... on ExtendApprovalSuccess {
      approval {
        ...ApprovalFields
      }
    }
    ...Failure
  }
}
    fragment ApprovalFields on Approval {
  id
  status
  source
  title
  reason
  risk
  stepId
  itemIndex
  tool
  arguments
  digest
  createdAt
  expiresAt
  decidedAt
  note
  canDecide
  cannotDecideReason
  execution {
    id
  }
  agent {
    id
    name
  }
  environment {
    id
    name
  }
  requestedBy {
    id
    name
  }
  decidedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<ExtendApprovalMutation, ExtendApprovalMutationVariables>;
export const DelegateApprovalsDocument = new TypedDocumentString(`
    mutation delegateApprovals($input: DelegateApprovalsInput!) {
  delegateApprovals(input: $input) {
    __typename
    ... on DelegateApprovalsSuccess {
      delegation {
        ...DelegationFields
      }
    }
    ...Failure
  }
}
    fragment DelegationFields on ApprovalDelegation {
  id
  startsAt
  endsAt
  reason
  createdAt
  revokedAt
  from {
    id
    name
  }
  to {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DelegateApprovalsMutation, DelegateApprovalsMutationVariables>;
export const RevokeDelegationDocument = new TypedDocumentString(`
    mutation revokeDelegation($input: RevokeDelegationInput!) {
  revokeDelegation(input: $input) {
    __typename
    ... on RevokeDelegationSuccess {
      delegation {
        ...DelegationFields
      }
    }
    ...Failure
  }
}
    fragment DelegationFields on ApprovalDelegation {
  id
  startsAt
  endsAt
  reason
  createdAt
  revokedAt
  from {
    id
    name
  }
  to {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RevokeDelegationMutation, RevokeDelegationMutationVariables>;
export const ApprovalRequestsDocument = new TypedDocumentString(`
    subscription approvalRequests($filter: ApprovalStreamFilter, $after: String) {
  approvalRequests(filter: $filter, after: $after) {
    cursor
    caughtUp
    changes {
      type
      occurredAt
      approval {
        ...ApprovalFields
      }
    }
  }
}
    fragment ApprovalFields on Approval {
  id
  status
  source
  title
  reason
  risk
  stepId
  itemIndex
  tool
  arguments
  digest
  createdAt
  expiresAt
  decidedAt
  note
  canDecide
  cannotDecideReason
  execution {
    id
  }
  agent {
    id
    name
  }
  environment {
    id
    name
  }
  requestedBy {
    id
    name
  }
  decidedBy {
    id
    name
  }
}`) as unknown as TypedDocumentString<ApprovalRequestsSubscription, ApprovalRequestsSubscriptionVariables>;
export const AuditEventsDocument = new TypedDocumentString(`
    query auditEvents($first: Int, $after: String, $filter: AuditEventFilter) {
  auditEvents(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...AuditEventFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment AuditEventFields on AuditEvent {
  id
  action
  principalId
  subjectType
  subjectId
  beforeDigest
  afterDigest
  address
  userAgent
  traceId
  occurredAt
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<AuditEventsQuery, AuditEventsQueryVariables>;
export const AuditTrailDocument = new TypedDocumentString(`
    subscription auditTrail($filter: AuditEventFilter, $after: String) {
  auditTrail(filter: $filter, after: $after) {
    events {
      ...AuditEventFields
    }
    cursor
    caughtUp
  }
}
    fragment AuditEventFields on AuditEvent {
  id
  action
  principalId
  subjectType
  subjectId
  beforeDigest
  afterDigest
  address
  userAgent
  traceId
  occurredAt
}`) as unknown as TypedDocumentString<AuditTrailSubscription, AuditTrailSubscriptionVariables>;
export const DataGrantsDocument = new TypedDocumentString(`
    query dataGrants($first: Int, $after: String, $filter: DataGrantFilter) {
  dataGrants(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...DataGrantFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment DataGrantFields on DataGrant {
  id
  data
  reason
  isInForce
  createdAt
  revokedAt
  ownerAgent {
    id
    name
  }
  granteeAgent {
    id
    name
  }
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<DataGrantsQuery, DataGrantsQueryVariables>;
export const GrantDataDocument = new TypedDocumentString(`
    mutation grantData($input: GrantDataInput!) {
  grantData(input: $input) {
    __typename
    ... on GrantDataSuccess {
      dataGrant {
        ...DataGrantFields
      }
    }
    ...Failure
  }
}
    fragment DataGrantFields on DataGrant {
  id
  data
  reason
  isInForce
  createdAt
  revokedAt
  ownerAgent {
    id
    name
  }
  granteeAgent {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<GrantDataMutation, GrantDataMutationVariables>;
export const RevokeDataGrantDocument = new TypedDocumentString(`
    mutation revokeDataGrant($input: RevokeDataGrantInput!) {
  revokeDataGrant(input: $input) {
    __typename
    ... on RevokeDataGrantSuccess {
      dataGrant {
        ...DataGrantFields
      }
    }
    ...Failure
  }
}
    fragment DataGrantFields on DataGrant {
  id
  data
  reason
  isInForce
  createdAt
  revokedAt
  ownerAgent {
    id
    name
  }
  granteeAgent {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RevokeDataGrantMutation, RevokeDataGrantMutationVariables>;
export const ExplainDecisionDocument = new TypedDocumentString(`
    query explainDecision($decisionId: ID!) {
  explainDecision(decisionId: $decisionId) {
    summary
    refusals
    decision {
      ...DecisionFields
    }
    findings {
      role
      rules
      finding {
        policyName
        version
        kind
        mode
        effect
        reason
        notBefore
        failed
        policy {
          id
        }
      }
    }
  }
}
    fragment DecisionFields on Decision {
  id
  action
  effect
  reasons
  stepId
  itemIndex
  input
  redacted
  inputDigest
  durationMicros
  createdAt
  tool
  principal {
    id
    name
  }
  execution {
    id
  }
  findings {
    policyName
    version
    kind
    mode
    effect
    reason
  }
}`) as unknown as TypedDocumentString<ExplainDecisionQuery, ExplainDecisionQueryVariables>;
export const ReevaluateDecisionDocument = new TypedDocumentString(`
    query reevaluateDecision($decisionId: ID!, $policies: PolicyMoment) {
  reevaluateDecision(decisionId: $decisionId, policies: $policies) {
    policies
    same
    effect
    reasons
    digestMatches
    notCompared
    findings {
      policyName
      version
      mode
      effect
      reason
    }
    differences {
      path
      recorded
      computed
      policy {
        id
        name
      }
    }
    decision {
      ...DecisionFields
    }
  }
}
    fragment DecisionFields on Decision {
  id
  action
  effect
  reasons
  stepId
  itemIndex
  input
  redacted
  inputDigest
  durationMicros
  createdAt
  tool
  principal {
    id
    name
  }
  execution {
    id
  }
  findings {
    policyName
    version
    kind
    mode
    effect
    reason
  }
}`) as unknown as TypedDocumentString<ReevaluateDecisionQuery, ReevaluateDecisionQueryVariables>;
export const EventSinksDocument = new TypedDocumentString(`
    query eventSinks($first: Int, $after: String) {
  eventSinks(first: $first, after: $after) {
    edges {
      cursor
      node {
        ...EventSinkFields
        deliveries(first: 20) {
          edges {
            node {
              ...EventDeliveryFields
            }
          }
        }
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
fragment EventDeliveryFields on EventDelivery {
  id
  executionId
  sequence
  type
  status
  attempts
  firstAttemptAt
  nextAttemptAt
  lastError
  createdAt
  deadLetteredAt
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<EventSinksQuery, EventSinksQueryVariables>;
export const EventBusHealthDocument = new TypedDocumentString(`
    query eventBusHealth {
  eventBusHealth {
    state
    lagEvents
    lagSeconds
    deadLetters
    isCapped
    sinks {
      ...EventSinkHealthFields
      eventSink {
        id
        name
        kind
      }
    }
  }
}
    fragment EventSinkHealthFields on EventSinkHealth {
  state
  lagEvents
  lagSeconds
  pendingExecutions
  deadLetters
  isCapped
  failures
  retryAt
  lastSuccessAt
  lastError
  lastErrorAt
}`) as unknown as TypedDocumentString<EventBusHealthQuery, EventBusHealthQueryVariables>;
export const CreateEventSinkDocument = new TypedDocumentString(`
    mutation createEventSink($input: CreateEventSinkInput!) {
  createEventSink(input: $input) {
    __typename
    ... on CreateEventSinkSuccess {
      secret
      eventSink {
        ...EventSinkFields
      }
    }
    ...Failure
  }
}
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<CreateEventSinkMutation, CreateEventSinkMutationVariables>;
export const UpdateEventSinkDocument = new TypedDocumentString(`
    mutation updateEventSink($input: UpdateEventSinkInput!) {
  updateEventSink(input: $input) {
    __typename
    ... on UpdateEventSinkSuccess {
      eventSink {
        ...EventSinkFields
      }
    }
    ...Failure
  }
}
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<UpdateEventSinkMutation, UpdateEventSinkMutationVariables>;
export const PauseEventSinkDocument = new TypedDocumentString(`
    mutation pauseEventSink($input: PauseEventSinkInput!) {
  pauseEventSink(input: $input) {
    __typename
    ... on PauseEventSinkSuccess {
      eventSink {
        ...EventSinkFields
      }
    }
    ...Failure
  }
}
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<PauseEventSinkMutation, PauseEventSinkMutationVariables>;
export const ResumeEventSinkDocument = new TypedDocumentString(`
    mutation resumeEventSink($input: ResumeEventSinkInput!) {
  resumeEventSink(input: $input) {
    __typename
    ... on ResumeEventSinkSuccess {
      eventSink {
        ...EventSinkFields
      }
    }
    ...Failure
  }
}
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<ResumeEventSinkMutation, ResumeEventSinkMutationVariables>;
export const RotateEventSinkSecretDocument = new TypedDocumentString(`
    mutation rotateEventSinkSecret($input: RotateEventSinkSecretInput!) {
  rotateEventSinkSecret(input: $input) {
    __typename
    ... on RotateEventSinkSecretSuccess {
      secret
      eventSink {
        ...EventSinkFields
      }
    }
    ...Failure
  }
}
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RotateEventSinkSecretMutation, RotateEventSinkSecretMutationVariables>;
export const DeleteEventSinkDocument = new TypedDocumentString(`
    mutation deleteEventSink($input: DeleteEventSinkInput!) {
  deleteEventSink(input: $input) {
    __typename
    ... on DeleteEventSinkSuccess {
      eventSink {
        ...EventSinkFields
      }
    }
    ...Failure
  }
}
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DeleteEventSinkMutation, DeleteEventSinkMutationVariables>;
export const RedeliverEventDocument = new TypedDocumentString(`
    mutation redeliverEvent($input: RedeliverEventInput!) {
  redeliverEvent(input: $input) {
    __typename
    ... on RedeliverEventSuccess {
      eventDelivery {
        ...EventDeliveryFields
      }
    }
    ...Failure
  }
}
    fragment EventDeliveryFields on EventDelivery {
  id
  executionId
  sequence
  type
  status
  attempts
  firstAttemptAt
  nextAttemptAt
  lastError
  createdAt
  deadLetteredAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RedeliverEventMutation, RedeliverEventMutationVariables>;
export const RedeliverEventsDocument = new TypedDocumentString(`
    mutation redeliverEvents($input: RedeliverEventsInput!) {
  redeliverEvents(input: $input) {
    __typename
    ... on RedeliverEventsSuccess {
      redelivering
      hasMore
      eventSink {
        ...EventSinkFields
      }
    }
    ...Failure
  }
}
    fragment EventSinkFields on EventSink {
  id
  name
  origin
  kind
  url
  types
  projectId
  environmentId
  tenants
  maxAttempts
  maxAgeSeconds
  status
  pausedReason
  createdAt
  updatedAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RedeliverEventsMutation, RedeliverEventsMutationVariables>;
export const PauseExecutionDocument = new TypedDocumentString(`
    mutation pauseExecution($input: PauseExecutionInput!) {
  pauseExecution(input: $input) {
    __typename
    ... on PauseExecutionSuccess {
      execution {
        ...ExecutionFields
      }
    }
    ...Failure
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<PauseExecutionMutation, PauseExecutionMutationVariables>;
export const ResumeExecutionDocument = new TypedDocumentString(`
    mutation resumeExecution($input: ResumeExecutionInput!) {
  resumeExecution(input: $input) {
    __typename
    ... on ResumeExecutionSuccess {
      execution {
        ...ExecutionFields
      }
    }
    ...Failure
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<ResumeExecutionMutation, ResumeExecutionMutationVariables>;
export const SignalExecutionDocument = new TypedDocumentString(`
    mutation signalExecution($input: SignalExecutionInput!) {
  signalExecution(input: $input) {
    __typename
    ... on SignalExecutionSuccess {
      signal {
        ...SignalFields
      }
    }
    ...Failure
  }
}
    fragment SignalFields on Signal {
  id
  name
  payload
  sentAt
  receivedByStepId
  receivedAt
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<SignalExecutionMutation, SignalExecutionMutationVariables>;
export const RetryExecutionDocument = new TypedDocumentString(`
    mutation retryExecution($input: RetryExecutionInput!) {
  retryExecution(input: $input) {
    __typename
    ... on RetryExecutionSuccess {
      execution {
        ...ExecutionFields
      }
    }
    ...Failure
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RetryExecutionMutation, RetryExecutionMutationVariables>;
export const ForkExecutionDocument = new TypedDocumentString(`
    mutation forkExecution($input: ForkExecutionInput!) {
  forkExecution(input: $input) {
    __typename
    ... on ForkExecutionSuccess {
      execution {
        ...ExecutionFields
      }
    }
    ...Failure
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<ForkExecutionMutation, ForkExecutionMutationVariables>;
export const ExecutionDocument = new TypedDocumentString(`
    query execution($id: ID!) {
  execution(id: $id) {
    ...ExecutionFields
    inputs
    output
    root {
      id
    }
    steps {
      ...SlotFields
      kind
      needs
      itemTotal
      itemDone
      itemFailed
      approval {
        id
        status
      }
      attempts {
        number
        status
        startedAt
        finishedAt
        failure {
          code
          message
          stepId
        }
      }
    }
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment SlotFields on Slot {
  stepId
  status
  queuedAt
  startedAt
  finishedAt
  wakeAt
  signal
  childExecution {
    id
    status
  }
  failure {
    code
    message
    stepId
  }
}`) as unknown as TypedDocumentString<ExecutionQuery, ExecutionQueryVariables>;
export const ExecutionsDocument = new TypedDocumentString(`
    query executions($first: Int, $after: String, $filter: ExecutionFilter) {
  executions(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...ExecutionFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<ExecutionsQuery, ExecutionsQueryVariables>;
export const StartExecutionDocument = new TypedDocumentString(`
    mutation startExecution($input: StartExecutionInput!) {
  startExecution(input: $input) {
    __typename
    ... on StartExecutionSuccess {
      execution {
        ...ExecutionFields
      }
    }
    ...Failure
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<StartExecutionMutation, StartExecutionMutationVariables>;
export const CancelExecutionDocument = new TypedDocumentString(`
    mutation cancelExecution($input: CancelExecutionInput!) {
  cancelExecution(input: $input) {
    __typename
    ... on CancelExecutionSuccess {
      execution {
        ...ExecutionFields
      }
    }
    ...Failure
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<CancelExecutionMutation, CancelExecutionMutationVariables>;
export const ExecutionEventsDocument = new TypedDocumentString(`
    subscription executionEvents($executionId: ID!, $after: String) {
  executionEvents(executionId: $executionId, after: $after) {
    cursor
    caughtUp
    events {
      ...EventFields
    }
  }
}
    fragment EventFields on ExecutionEvent {
  executionId
  toolCallId
  __typename
  sequence
  type
  occurredAt
  ... on StepEvent {
    stepId
    itemIndex
  }
  ... on ExecutionQueued {
    requestedBy
  }
  ... on ExecutionScheduled {
    requestedBy
    startAt
  }
  ... on ExecutionDeferred {
    decisionId
    startAt
  }
  ... on ExecutionPaused {
    reason
    pausedBy
  }
  ... on ExecutionResumed {
    resumedBy
    resumedAs
  }
  ... on ExecutionSignalled {
    signalId
    name
    sentBy
  }
  ... on ExecutionFailed {
    failure {
      code
      message
      stepId
    }
  }
  ... on ExecutionBlocked {
    decisionId
    failure {
      code
      message
      stepId
    }
  }
  ... on ExecutionCancelled {
    reason
    cancelledBy
  }
  ... on StepReused {
    status
    outputBytes
    branchCase
    itemTotal
    ranges
  }
  ... on StepExpanded {
    total
  }
  ... on StepIterated {
    iteration
  }
  ... on StepStarted {
    attempt
    decisionId
  }
  ... on StepChildStarted {
    childExecutionId
  }
  ... on StepWaiting {
    wakeAt
    signal
  }
  ... on StepDeferred {
    decisionId
    wakeAt
  }
  ... on SignalReceived {
    signalId
    name
  }
  ... on StepSucceeded {
    attempt
    outputBytes
    branchCase
  }
  ... on StepRetryScheduled {
    attempt
    retryAt
    failure {
      code
      message
      stepId
    }
  }
  ... on StepInterrupted {
    attempt
  }
  ... on StepHalted {
    attempt
    killSwitchId
    reason
  }
  ... on StepFailed {
    attempt
    failure {
      code
      message
      stepId
    }
  }
  ... on StepBlocked {
    attempt
    decisionId
    failure {
      code
      message
      stepId
    }
  }
  ... on ApprovalRequested {
    approvalId
    expiresAt
  }
  ... on ApprovalApproved {
    approvalId
    decidedBy
  }
  ... on ApprovalRejected {
    approvalId
    decidedBy
  }
  ... on ApprovalExpired {
    approvalId
  }
  ... on ApprovalCancelled {
    approvalId
  }
  ... on ApprovalVoted {
    approvalId
    votedBy
    stage
  }
  ... on ApprovalAdvanced {
    approvalId
    stage
  }
  ... on ApprovalEscalated {
    approvalId
    stage
  }
  ... on ApprovalWarned {
    approvalId
    expiresAt
  }
  ... on ApprovalExtended {
    approvalId
    extendedBy
    expiresAt
  }
  ... on ApprovalDelegated {
    approvalId
    delegatedBy
    delegateId
  }
  ... on ApprovalEdited {
    approvalId
    digest
    editedBy
  }
  ... on ApprovalCommented {
    approvalId
    commentId
    commentKind
    commentedBy
  }
}`) as unknown as TypedDocumentString<ExecutionEventsSubscription, ExecutionEventsSubscriptionVariables>;
export const ExecutionChangedDocument = new TypedDocumentString(`
    subscription executionChanged($filter: ExecutionFilter) {
  executionChanged(filter: $filter) {
    executions {
      ...ExecutionFields
    }
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}`) as unknown as TypedDocumentString<ExecutionChangedSubscription, ExecutionChangedSubscriptionVariables>;
export const TenantEventsDocument = new TypedDocumentString(`
    subscription tenantEvents($filter: TenantEventFilter, $after: String) {
  tenantEvents(filter: $filter, after: $after) {
    cursor
    caughtUp
    events {
      ...EventFields
    }
  }
}
    fragment EventFields on ExecutionEvent {
  executionId
  toolCallId
  __typename
  sequence
  type
  occurredAt
  ... on StepEvent {
    stepId
    itemIndex
  }
  ... on ExecutionQueued {
    requestedBy
  }
  ... on ExecutionScheduled {
    requestedBy
    startAt
  }
  ... on ExecutionDeferred {
    decisionId
    startAt
  }
  ... on ExecutionPaused {
    reason
    pausedBy
  }
  ... on ExecutionResumed {
    resumedBy
    resumedAs
  }
  ... on ExecutionSignalled {
    signalId
    name
    sentBy
  }
  ... on ExecutionFailed {
    failure {
      code
      message
      stepId
    }
  }
  ... on ExecutionBlocked {
    decisionId
    failure {
      code
      message
      stepId
    }
  }
  ... on ExecutionCancelled {
    reason
    cancelledBy
  }
  ... on StepReused {
    status
    outputBytes
    branchCase
    itemTotal
    ranges
  }
  ... on StepExpanded {
    total
  }
  ... on StepIterated {
    iteration
  }
  ... on StepStarted {
    attempt
    decisionId
  }
  ... on StepChildStarted {
    childExecutionId
  }
  ... on StepWaiting {
    wakeAt
    signal
  }
  ... on StepDeferred {
    decisionId
    wakeAt
  }
  ... on SignalReceived {
    signalId
    name
  }
  ... on StepSucceeded {
    attempt
    outputBytes
    branchCase
  }
  ... on StepRetryScheduled {
    attempt
    retryAt
    failure {
      code
      message
      stepId
    }
  }
  ... on StepInterrupted {
    attempt
  }
  ... on StepHalted {
    attempt
    killSwitchId
    reason
  }
  ... on StepFailed {
    attempt
    failure {
      code
      message
      stepId
    }
  }
  ... on StepBlocked {
    attempt
    decisionId
    failure {
      code
      message
      stepId
    }
  }
  ... on ApprovalRequested {
    approvalId
    expiresAt
  }
  ... on ApprovalApproved {
    approvalId
    decidedBy
  }
  ... on ApprovalRejected {
    approvalId
    decidedBy
  }
  ... on ApprovalExpired {
    approvalId
  }
  ... on ApprovalCancelled {
    approvalId
  }
  ... on ApprovalVoted {
    approvalId
    votedBy
    stage
  }
  ... on ApprovalAdvanced {
    approvalId
    stage
  }
  ... on ApprovalEscalated {
    approvalId
    stage
  }
  ... on ApprovalWarned {
    approvalId
    expiresAt
  }
  ... on ApprovalExtended {
    approvalId
    extendedBy
    expiresAt
  }
  ... on ApprovalDelegated {
    approvalId
    delegatedBy
    delegateId
  }
  ... on ApprovalEdited {
    approvalId
    digest
    editedBy
  }
  ... on ApprovalCommented {
    approvalId
    commentId
    commentKind
    commentedBy
  }
}`) as unknown as TypedDocumentString<TenantEventsSubscription, TenantEventsSubscriptionVariables>;
export const ReplayExecutionDocument = new TypedDocumentString(`
    query replayExecution($executionId: ID!) {
  replayExecution(executionId: $executionId) {
    equal
    status
    difference {
      path
      folded
      stored
      message
    }
    counts {
      events
      steps
      items
      attempts
      approvals
      signals
    }
  }
}
    `) as unknown as TypedDocumentString<ReplayExecutionQuery, ReplayExecutionQueryVariables>;
export const CompareExecutionsDocument = new TypedDocumentString(`
    query compareExecutions($a: ID!, $b: ID!) {
  compareExecutions(a: $a, b: $b) {
    equal
    sameAgent
    sameVersion
    sameInputs
    sameStatus
    sameOutput
    sameDecisions
    firstDivergence {
      stepId
      itemIndex
      kind
    }
    a {
      waitedMs
      ranMs
      tookMs
      execution {
        ...ExecutionFields
      }
      decisions {
        ...ComparedDecisionFields
      }
    }
    b {
      waitedMs
      ranMs
      tookMs
      execution {
        ...ExecutionFields
      }
      decisions {
        ...ComparedDecisionFields
      }
    }
    steps {
      stepId
      presence
      sameDefinition
      sameStatus
      sameOutput
      samePath
      sameDecisions
      a {
        ...ComparedStepFields
      }
      b {
        ...ComparedStepFields
      }
      itemDifferences {
        both
        onlyA
        onlyB
        different
        firstDifferent
      }
    }
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment SlotFields on Slot {
  stepId
  status
  queuedAt
  startedAt
  finishedAt
  wakeAt
  signal
  childExecution {
    id
    status
  }
  failure {
    code
    message
    stepId
  }
}
fragment ComparedDecisionFields on ComparedDecision {
  action
  effect
  reasons
  count
  findings {
    policyName
    version
    kind
    mode
    effect
    reason
  }
}
fragment ComparedStepFields on ComparedStep {
  waitedMs
  ranMs
  tookMs
  outputDigest
  branchCase
  attempts
  reused
  step {
    ...SlotFields
    kind
    itemTotal
    itemDone
    itemFailed
  }
  decisions {
    ...ComparedDecisionFields
  }
}`) as unknown as TypedDocumentString<CompareExecutionsQuery, CompareExecutionsQueryVariables>;
export const KillSwitchesDocument = new TypedDocumentString(`
    query killSwitches($first: Int, $after: String, $filter: KillSwitchFilter) {
  killSwitches(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...KillSwitchFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment KillSwitchFields on KillSwitch {
  id
  scope
  pattern
  isEngaged
  reason
  engagedAt
  releaseReason
  releasedAt
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
}`) as unknown as TypedDocumentString<KillSwitchesQuery, KillSwitchesQueryVariables>;
export const EngageKillSwitchDocument = new TypedDocumentString(`
    mutation engageKillSwitch($input: EngageKillSwitchInput!) {
  engageKillSwitch(input: $input) {
    __typename
    ... on EngageKillSwitchSuccess {
      killSwitch {
        ...KillSwitchFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment KillSwitchFields on KillSwitch {
  id
  scope
  pattern
  isEngaged
  reason
  engagedAt
  releaseReason
  releasedAt
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
}`) as unknown as TypedDocumentString<EngageKillSwitchMutation, EngageKillSwitchMutationVariables>;
export const ReleaseKillSwitchDocument = new TypedDocumentString(`
    mutation releaseKillSwitch($input: ReleaseKillSwitchInput!) {
  releaseKillSwitch(input: $input) {
    __typename
    ... on ReleaseKillSwitchSuccess {
      killSwitch {
        ...KillSwitchFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment KillSwitchFields on KillSwitch {
  id
  scope
  pattern
  isEngaged
  reason
  engagedAt
  releaseReason
  releasedAt
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
}`) as unknown as TypedDocumentString<ReleaseKillSwitchMutation, ReleaseKillSwitchMutationVariables>;
export const PolicyDocument = new TypedDocumentString(`
    query policy($id: ID!) {
  policy(id: $id) {
    ...PolicyFields
  }
}
    fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<PolicyQuery, PolicyQueryVariables>;
export const PoliciesDocument = new TypedDocumentString(`
    query policies($first: Int, $after: String, $filter: PolicyFilter) {
  policies(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...PolicyFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<PoliciesQuery, PoliciesQueryVariables>;
export const DecisionsDocument = new TypedDocumentString(`
    query decisions($first: Int, $after: String, $filter: DecisionFilter) {
  decisions(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        ...DecisionFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment DecisionFields on Decision {
  id
  action
  effect
  reasons
  stepId
  itemIndex
  input
  redacted
  inputDigest
  durationMicros
  createdAt
  tool
  principal {
    id
    name
  }
  execution {
    id
  }
  findings {
    policyName
    version
    kind
    mode
    effect
    reason
  }
}`) as unknown as TypedDocumentString<DecisionsQuery, DecisionsQueryVariables>;
export const PoliciesInForceDocument = new TypedDocumentString(`
    query policiesInForce($agentId: ID!, $environmentId: ID!, $tool: String) {
  policiesInForce(agentId: $agentId, environmentId: $environmentId, tool: $tool) {
    attachment
    mode
    priority
    scope {
      ...PolicyScopeFields
    }
    policy {
      ...PolicyFields
    }
  }
}
    fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<PoliciesInForceQuery, PoliciesInForceQueryVariables>;
export const ValidatePolicyDocument = new TypedDocumentString(`
    query validatePolicy($document: String!) {
  validatePolicy(document: $document) {
    changes
    problems {
      path
      message
      expected
      line
      column
    }
    current {
      id
      version
      description
      mode
      priority
      enabled
      onError
    }
    policy {
      name
      description
      kind
      mode
      priority
      enabled
      onError
      rules
      rollout {
        percent
        maxDenialPercent
        windowMs
      }
      scope {
        ...PolicyScopeFields
      }
      attachments {
        ...PolicyAttachmentFields
      }
    }
  }
}
    fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}`) as unknown as TypedDocumentString<ValidatePolicyQuery, ValidatePolicyQueryVariables>;
export const ApplyPolicyDocument = new TypedDocumentString(`
    mutation applyPolicy($input: ApplyPolicyInput!) {
  applyPolicy(input: $input) {
    __typename
    ... on ApplyPolicySuccess {
      changes
      policy {
        ...PolicyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<ApplyPolicyMutation, ApplyPolicyMutationVariables>;
export const CreatePolicyDocument = new TypedDocumentString(`
    mutation createPolicy($input: CreatePolicyInput!) {
  createPolicy(input: $input) {
    __typename
    ... on CreatePolicySuccess {
      policy {
        ...PolicyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<CreatePolicyMutation, CreatePolicyMutationVariables>;
export const UpdatePolicyDocument = new TypedDocumentString(`
    mutation updatePolicy($input: UpdatePolicyInput!) {
  updatePolicy(input: $input) {
    __typename
    ... on UpdatePolicySuccess {
      policy {
        ...PolicyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<UpdatePolicyMutation, UpdatePolicyMutationVariables>;
export const EnablePolicyDocument = new TypedDocumentString(`
    mutation enablePolicy($input: EnablePolicyInput!) {
  enablePolicy(input: $input) {
    __typename
    ... on EnablePolicySuccess {
      policy {
        ...PolicyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<EnablePolicyMutation, EnablePolicyMutationVariables>;
export const DisablePolicyDocument = new TypedDocumentString(`
    mutation disablePolicy($input: DisablePolicyInput!) {
  disablePolicy(input: $input) {
    __typename
    ... on DisablePolicySuccess {
      policy {
        ...PolicyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<DisablePolicyMutation, DisablePolicyMutationVariables>;
export const DeletePolicyDocument = new TypedDocumentString(`
    mutation deletePolicy($input: DeletePolicyInput!) {
  deletePolicy(input: $input) {
    __typename
    ... on DeletePolicySuccess {
      policy {
        ...PolicyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PolicyScopeFields on PolicyScope {
  tag
  tool
  isWholeTenant
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
  team {
    id
    name
  }
}
fragment PolicyAttachmentFields on PolicyAttachment {
  mode
  priority
  enabled
  scope {
    ...PolicyScopeFields
  }
}
fragment PolicyFields on Policy {
  id
  name
  description
  kind
  mode
  priority
  enabled
  onError
  version
  rules
  createdAt
  updatedAt
  deletedAt
  rollout {
    percent
    maxDenialPercent
    windowMs
  }
  scope {
    ...PolicyScopeFields
  }
  attachments {
    ...PolicyAttachmentFields
  }
}`) as unknown as TypedDocumentString<DeletePolicyMutation, DeletePolicyMutationVariables>;
export const ViewerDocument = new TypedDocumentString(`
    query viewer {
  viewer {
    principal {
      ...PrincipalFields
    }
    tenant {
      id
      name
      isOperator
    }
    roles {
      role
      scopeKind
      project {
        id
        name
      }
      environment {
        id
        name
      }
      team {
        id
        name
      }
    }
    permissions
    expiresAt
  }
}
    fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const PrincipalsDocument = new TypedDocumentString(`
    query principals($first: Int, $after: String, $kind: PrincipalKind, $name: String, $disabled: Boolean) {
  principals(
    first: $first
    after: $after
    kind: $kind
    name: $name
    disabled: $disabled
  ) {
    edges {
      cursor
      node {
        ...PrincipalFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<PrincipalsQuery, PrincipalsQueryVariables>;
export const RoleGrantsDocument = new TypedDocumentString(`
    query roleGrants($first: Int, $after: String, $principalId: ID, $granteeTeamId: ID) {
  roleGrants(
    first: $first
    after: $after
    principalId: $principalId
    granteeTeamId: $granteeTeamId
  ) {
    edges {
      cursor
      node {
        ...RoleGrantFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment RoleGrantFields on RoleGrant {
  id
  role
  scopeKind
  createdAt
  principal {
    id
    name
  }
  granteeTeam {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  team {
    id
    name
  }
}`) as unknown as TypedDocumentString<RoleGrantsQuery, RoleGrantsQueryVariables>;
export const ApiKeysDocument = new TypedDocumentString(`
    query apiKeys($first: Int, $after: String, $principalId: ID, $revoked: Boolean) {
  apiKeys(
    first: $first
    after: $after
    principalId: $principalId
    revoked: $revoked
  ) {
    edges {
      cursor
      node {
        ...ApiKeyFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment ApiKeyFields on ApiKey {
  id
  name
  roles
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
  principal {
    id
    name
  }
  environment {
    id
    name
  }
}`) as unknown as TypedDocumentString<ApiKeysQuery, ApiKeysQueryVariables>;
export const CreatePrincipalDocument = new TypedDocumentString(`
    mutation createPrincipal($input: CreatePrincipalInput!) {
  createPrincipal(input: $input) {
    __typename
    ... on CreatePrincipalSuccess {
      principal {
        ...PrincipalFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<CreatePrincipalMutation, CreatePrincipalMutationVariables>;
export const DisablePrincipalDocument = new TypedDocumentString(`
    mutation disablePrincipal($input: DisablePrincipalInput!) {
  disablePrincipal(input: $input) {
    __typename
    ... on DisablePrincipalSuccess {
      principal {
        ...PrincipalFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<DisablePrincipalMutation, DisablePrincipalMutationVariables>;
export const EnablePrincipalDocument = new TypedDocumentString(`
    mutation enablePrincipal($input: EnablePrincipalInput!) {
  enablePrincipal(input: $input) {
    __typename
    ... on EnablePrincipalSuccess {
      principal {
        ...PrincipalFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment PrincipalFields on Principal {
  id
  kind
  name
  email
  issuer
  subject
  createdAt
  disabledAt
}`) as unknown as TypedDocumentString<EnablePrincipalMutation, EnablePrincipalMutationVariables>;
export const GrantRoleDocument = new TypedDocumentString(`
    mutation grantRole($input: GrantRoleInput!) {
  grantRole(input: $input) {
    __typename
    ... on GrantRoleSuccess {
      roleGrant {
        ...RoleGrantFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment RoleGrantFields on RoleGrant {
  id
  role
  scopeKind
  createdAt
  principal {
    id
    name
  }
  granteeTeam {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  team {
    id
    name
  }
}`) as unknown as TypedDocumentString<GrantRoleMutation, GrantRoleMutationVariables>;
export const RevokeRoleDocument = new TypedDocumentString(`
    mutation revokeRole($input: RevokeRoleInput!) {
  revokeRole(input: $input) {
    __typename
    ... on RevokeRoleSuccess {
      roleGrant {
        ...RoleGrantFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment RoleGrantFields on RoleGrant {
  id
  role
  scopeKind
  createdAt
  principal {
    id
    name
  }
  granteeTeam {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  team {
    id
    name
  }
}`) as unknown as TypedDocumentString<RevokeRoleMutation, RevokeRoleMutationVariables>;
export const CreateApiKeyDocument = new TypedDocumentString(`
    mutation createApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    __typename
    ... on CreateApiKeySuccess {
      token
      apiKey {
        ...ApiKeyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ApiKeyFields on ApiKey {
  id
  name
  roles
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
  principal {
    id
    name
  }
  environment {
    id
    name
  }
}`) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const RevokeApiKeyDocument = new TypedDocumentString(`
    mutation revokeApiKey($input: RevokeApiKeyInput!) {
  revokeApiKey(input: $input) {
    __typename
    ... on RevokeApiKeySuccess {
      apiKey {
        ...ApiKeyFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ApiKeyFields on ApiKey {
  id
  name
  roles
  createdAt
  expiresAt
  revokedAt
  lastUsedAt
  principal {
    id
    name
  }
  environment {
    id
    name
  }
}`) as unknown as TypedDocumentString<RevokeApiKeyMutation, RevokeApiKeyMutationVariables>;
export const QueueStatusDocument = new TypedDocumentString(`
    query queueStatus {
  queueStatus {
    backlog {
      priority
      count
    }
    admitted
    running
    oldestWaitingSince
    isCapped
  }
}
    `) as unknown as TypedDocumentString<QueueStatusQuery, QueueStatusQueryVariables>;
export const ConcurrencyLimitsDocument = new TypedDocumentString(`
    query concurrencyLimits($first: Int, $after: String, $scopeId: ID) {
  concurrencyLimits(first: $first, after: $after, scopeId: $scopeId) {
    edges {
      cursor
      node {
        ...LimitFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment LimitFields on ConcurrencyLimit {
  id
  scope
  maxRunning
  updatedAt
  tenant {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
}`) as unknown as TypedDocumentString<ConcurrencyLimitsQuery, ConcurrencyLimitsQueryVariables>;
export const DeadLettersDocument = new TypedDocumentString(`
    query deadLetters($first: Int, $after: String, $filter: DeadLetterFilter) {
  deadLetters(first: $first, after: $after, filter: $filter) {
    edges {
      cursor
      node {
        stepId
        itemIndex
        failedAt
        failure {
          code
          message
        }
        attempts {
          number
          status
          startedAt
          finishedAt
          failure {
            code
            message
          }
        }
        execution {
          ...ExecutionFields
        }
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment ExecutionFields on Execution {
  id
  status
  priority
  admittedAt
  labels
  idempotencyKey
  createdAt
  startAt
  startedAt
  finishedAt
  depth
  parentStepId
  parentItemIndex
  parent {
    id
  }
  retryOf {
    id
  }
  forkOf {
    id
  }
  forkStepId
  failure {
    code
    message
    stepId
  }
  agent {
    id
    name
  }
  version {
    id
    version
  }
  environment {
    id
    name
    kind
  }
  requestedBy {
    id
    name
  }
}
fragment Page on PageInfo {
  hasNextPage
  endCursor
}`) as unknown as TypedDocumentString<DeadLettersQuery, DeadLettersQueryVariables>;
export const BulkOperationDocument = new TypedDocumentString(`
    query bulkOperation($id: ID!) {
  bulkOperation(id: $id) {
    ...BulkOperationFields
  }
}
    fragment BulkOperationFields on BulkOperation {
  id
  status
  reason
  matched
  cancelled
  failed
  createdAt
  finishedAt
}`) as unknown as TypedDocumentString<BulkOperationQuery, BulkOperationQueryVariables>;
export const SetConcurrencyLimitDocument = new TypedDocumentString(`
    mutation setConcurrencyLimit($input: SetConcurrencyLimitInput!) {
  setConcurrencyLimit(input: $input) {
    __typename
    ... on SetConcurrencyLimitSuccess {
      limit {
        ...LimitFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment LimitFields on ConcurrencyLimit {
  id
  scope
  maxRunning
  updatedAt
  tenant {
    id
    name
  }
  project {
    id
    name
  }
  environment {
    id
    name
  }
  agent {
    id
    name
  }
}`) as unknown as TypedDocumentString<SetConcurrencyLimitMutation, SetConcurrencyLimitMutationVariables>;
export const CancelExecutionsDocument = new TypedDocumentString(`
    mutation cancelExecutions($input: CancelExecutionsInput!) {
  cancelExecutions(input: $input) {
    __typename
    ... on CancelExecutionsSuccess {
      operation {
        ...BulkOperationFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment BulkOperationFields on BulkOperation {
  id
  status
  reason
  matched
  cancelled
  failed
  createdAt
  finishedAt
}`) as unknown as TypedDocumentString<CancelExecutionsMutation, CancelExecutionsMutationVariables>;
export const PolicySimulationsDocument = new TypedDocumentString(`
    query policySimulations($first: Int, $after: String) {
  policySimulations(first: $first, after: $after) {
    edges {
      cursor
      node {
        ...SimulationFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment SimulationFields on PolicySimulation {
  id
  status
  since
  until
  total
  processed
  changed
  drifted
  failed
  redacted
  error
  createdAt
  finishedAt
  requestedBy {
    id
    name
  }
  verdicts {
    before
    after
    count
  }
}`) as unknown as TypedDocumentString<PolicySimulationsQuery, PolicySimulationsQueryVariables>;
export const PolicySimulationDocument = new TypedDocumentString(`
    query policySimulation($id: ID!) {
  policySimulation(id: $id) {
    ...SimulationFields
    candidate
    agentCount
    executionCount
    agents {
      changed
      executions
      agent {
        id
        name
      }
    }
    approvals {
      day
      approver
      count
    }
    changes(first: 20) {
      edges {
        cursor
        node {
          before
          after
          approvers
          decision {
            id
            action
            tool
            reasons
            createdAt
          }
          execution {
            id
          }
        }
      }
      pageInfo {
        ...Page
      }
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment SimulationFields on PolicySimulation {
  id
  status
  since
  until
  total
  processed
  changed
  drifted
  failed
  redacted
  error
  createdAt
  finishedAt
  requestedBy {
    id
    name
  }
  verdicts {
    before
    after
    count
  }
}`) as unknown as TypedDocumentString<PolicySimulationQuery, PolicySimulationQueryVariables>;
export const SimulatePoliciesDocument = new TypedDocumentString(`
    mutation simulatePolicies($input: SimulatePoliciesInput!) {
  simulatePolicies(input: $input) {
    __typename
    ... on SimulatePoliciesSuccess {
      simulation {
        ...SimulationFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment SimulationFields on PolicySimulation {
  id
  status
  since
  until
  total
  processed
  changed
  drifted
  failed
  redacted
  error
  createdAt
  finishedAt
  requestedBy {
    id
    name
  }
  verdicts {
    before
    after
    count
  }
}`) as unknown as TypedDocumentString<SimulatePoliciesMutation, SimulatePoliciesMutationVariables>;
export const CancelSimulationDocument = new TypedDocumentString(`
    mutation cancelSimulation($input: CancelSimulationInput!) {
  cancelSimulation(input: $input) {
    __typename
    ... on CancelSimulationSuccess {
      simulation {
        ...SimulationFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment SimulationFields on PolicySimulation {
  id
  status
  since
  until
  total
  processed
  changed
  drifted
  failed
  redacted
  error
  createdAt
  finishedAt
  requestedBy {
    id
    name
  }
  verdicts {
    before
    after
    count
  }
}`) as unknown as TypedDocumentString<CancelSimulationMutation, CancelSimulationMutationVariables>;
export const SimulationProgressDocument = new TypedDocumentString(`
    subscription simulationProgress($simulationId: ID!) {
  simulationProgress(simulationId: $simulationId) {
    simulation {
      ...SimulationFields
    }
  }
}
    fragment SimulationFields on PolicySimulation {
  id
  status
  since
  until
  total
  processed
  changed
  drifted
  failed
  redacted
  error
  createdAt
  finishedAt
  requestedBy {
    id
    name
  }
  verdicts {
    before
    after
    count
  }
}`) as unknown as TypedDocumentString<SimulationProgressSubscription, SimulationProgressSubscriptionVariables>;
export const ProjectsDocument = new TypedDocumentString(`
    query projects($first: Int, $after: String, $name: String) {
  projects(first: $first, after: $after, name: $name) {
    edges {
      cursor
      node {
        ...ProjectFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment ProjectFields on Project {
  id
  name
  description
  createdAt
}`) as unknown as TypedDocumentString<ProjectsQuery, ProjectsQueryVariables>;
export const EnvironmentsDocument = new TypedDocumentString(`
    query environments($first: Int, $after: String, $projectId: ID, $name: String, $kind: EnvironmentKind) {
  environments(
    first: $first
    after: $after
    projectId: $projectId
    name: $name
    kind: $kind
  ) {
    edges {
      cursor
      node {
        ...EnvironmentFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment EnvironmentFields on Environment {
  id
  name
  kind
  createdAt
  project {
    id
    name
  }
}`) as unknown as TypedDocumentString<EnvironmentsQuery, EnvironmentsQueryVariables>;
export const TeamsDocument = new TypedDocumentString(`
    query teams($first: Int, $after: String, $name: String) {
  teams(first: $first, after: $after, name: $name) {
    edges {
      cursor
      node {
        ...TeamFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment TeamFields on Team {
  id
  name
  createdAt
}`) as unknown as TypedDocumentString<TeamsQuery, TeamsQueryVariables>;
export const CreateTenantDocument = new TypedDocumentString(`
    mutation createTenant($input: CreateTenantInput!) {
  createTenant(input: $input) {
    __typename
    ... on CreateTenantSuccess {
      adminKey
      tenant {
        id
        name
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<CreateTenantMutation, CreateTenantMutationVariables>;
export const ArchiveTenantDocument = new TypedDocumentString(`
    mutation archiveTenant($input: ArchiveTenantInput!) {
  archiveTenant(input: $input) {
    __typename
    ... on ArchiveTenantSuccess {
      tenant {
        id
        name
        archivedAt
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<ArchiveTenantMutation, ArchiveTenantMutationVariables>;
export const RestoreTenantDocument = new TypedDocumentString(`
    mutation restoreTenant($input: RestoreTenantInput!) {
  restoreTenant(input: $input) {
    __typename
    ... on RestoreTenantSuccess {
      tenant {
        id
        name
        archivedAt
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RestoreTenantMutation, RestoreTenantMutationVariables>;
export const CreateProjectDocument = new TypedDocumentString(`
    mutation createProject($input: CreateProjectInput!) {
  createProject(input: $input) {
    __typename
    ... on CreateProjectSuccess {
      project {
        ...ProjectFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ProjectFields on Project {
  id
  name
  description
  createdAt
}`) as unknown as TypedDocumentString<CreateProjectMutation, CreateProjectMutationVariables>;
export const UpdateProjectDocument = new TypedDocumentString(`
    mutation updateProject($input: UpdateProjectInput!) {
  updateProject(input: $input) {
    __typename
    ... on UpdateProjectSuccess {
      project {
        ...ProjectFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ProjectFields on Project {
  id
  name
  description
  createdAt
}`) as unknown as TypedDocumentString<UpdateProjectMutation, UpdateProjectMutationVariables>;
export const DeleteProjectDocument = new TypedDocumentString(`
    mutation deleteProject($input: DeleteProjectInput!) {
  deleteProject(input: $input) {
    __typename
    ... on DeleteProjectSuccess {
      projectId
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DeleteProjectMutation, DeleteProjectMutationVariables>;
export const CreateEnvironmentDocument = new TypedDocumentString(`
    mutation createEnvironment($input: CreateEnvironmentInput!) {
  createEnvironment(input: $input) {
    __typename
    ... on CreateEnvironmentSuccess {
      environment {
        ...EnvironmentFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment EnvironmentFields on Environment {
  id
  name
  kind
  createdAt
  project {
    id
    name
  }
}`) as unknown as TypedDocumentString<CreateEnvironmentMutation, CreateEnvironmentMutationVariables>;
export const UpdateEnvironmentDocument = new TypedDocumentString(`
    mutation updateEnvironment($input: UpdateEnvironmentInput!) {
  updateEnvironment(input: $input) {
    __typename
    ... on UpdateEnvironmentSuccess {
      environment {
        ...EnvironmentFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment EnvironmentFields on Environment {
  id
  name
  kind
  createdAt
  project {
    id
    name
  }
}`) as unknown as TypedDocumentString<UpdateEnvironmentMutation, UpdateEnvironmentMutationVariables>;
export const DeleteEnvironmentDocument = new TypedDocumentString(`
    mutation deleteEnvironment($input: DeleteEnvironmentInput!) {
  deleteEnvironment(input: $input) {
    __typename
    ... on DeleteEnvironmentSuccess {
      environmentId
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DeleteEnvironmentMutation, DeleteEnvironmentMutationVariables>;
export const CreateTeamDocument = new TypedDocumentString(`
    mutation createTeam($input: CreateTeamInput!) {
  createTeam(input: $input) {
    __typename
    ... on CreateTeamSuccess {
      team {
        ...TeamFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment TeamFields on Team {
  id
  name
  createdAt
}`) as unknown as TypedDocumentString<CreateTeamMutation, CreateTeamMutationVariables>;
export const UpdateTeamDocument = new TypedDocumentString(`
    mutation updateTeam($input: UpdateTeamInput!) {
  updateTeam(input: $input) {
    __typename
    ... on UpdateTeamSuccess {
      team {
        ...TeamFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment TeamFields on Team {
  id
  name
  createdAt
}`) as unknown as TypedDocumentString<UpdateTeamMutation, UpdateTeamMutationVariables>;
export const DeleteTeamDocument = new TypedDocumentString(`
    mutation deleteTeam($input: DeleteTeamInput!) {
  deleteTeam(input: $input) {
    __typename
    ... on DeleteTeamSuccess {
      teamId
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<DeleteTeamMutation, DeleteTeamMutationVariables>;
export const AddTeamMemberDocument = new TypedDocumentString(`
    mutation addTeamMember($input: AddTeamMemberInput!) {
  addTeamMember(input: $input) {
    __typename
    ... on AddTeamMemberSuccess {
      team {
        id
      }
      principal {
        id
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<AddTeamMemberMutation, AddTeamMemberMutationVariables>;
export const RemoveTeamMemberDocument = new TypedDocumentString(`
    mutation removeTeamMember($input: RemoveTeamMemberInput!) {
  removeTeamMember(input: $input) {
    __typename
    ... on RemoveTeamMemberSuccess {
      team {
        id
      }
      principal {
        id
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}`) as unknown as TypedDocumentString<RemoveTeamMemberMutation, RemoveTeamMemberMutationVariables>;
export const ToolCallDocument = new TypedDocumentString(`
    query toolCall($id: ID!) {
  toolCall(id: $id) {
    ...ToolCallFields
  }
}
    fragment ToolCallFields on ToolCall {
  id
  status
  reasons
  notices
  tool
  arguments
  session
  decisionId
  approvalId
  notBefore
  idempotencyKey
  createdAt
  outcome
  output
  isDelivered
  reportedAt
}`) as unknown as TypedDocumentString<ToolCallQuery, ToolCallQueryVariables>;
export const AuthorizeToolCallDocument = new TypedDocumentString(`
    mutation authorizeToolCall($input: AuthorizeToolCallInput!) {
  authorizeToolCall(input: $input) {
    __typename
    ... on AuthorizeToolCallSuccess {
      toolCall {
        ...ToolCallFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolCallFields on ToolCall {
  id
  status
  reasons
  notices
  tool
  arguments
  session
  decisionId
  approvalId
  notBefore
  idempotencyKey
  createdAt
  outcome
  output
  isDelivered
  reportedAt
}`) as unknown as TypedDocumentString<AuthorizeToolCallMutation, AuthorizeToolCallMutationVariables>;
export const WithdrawToolCallDocument = new TypedDocumentString(`
    mutation withdrawToolCall($input: WithdrawToolCallInput!) {
  withdrawToolCall(input: $input) {
    __typename
    ... on WithdrawToolCallSuccess {
      toolCall {
        ...ToolCallFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolCallFields on ToolCall {
  id
  status
  reasons
  notices
  tool
  arguments
  session
  decisionId
  approvalId
  notBefore
  idempotencyKey
  createdAt
  outcome
  output
  isDelivered
  reportedAt
}`) as unknown as TypedDocumentString<WithdrawToolCallMutation, WithdrawToolCallMutationVariables>;
export const ReportToolResultDocument = new TypedDocumentString(`
    mutation reportToolResult($input: ReportToolResultInput!) {
  reportToolResult(input: $input) {
    __typename
    ... on ReportToolResultSuccess {
      toolCall {
        ...ToolCallFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolCallFields on ToolCall {
  id
  status
  reasons
  notices
  tool
  arguments
  session
  decisionId
  approvalId
  notBefore
  idempotencyKey
  createdAt
  outcome
  output
  isDelivered
  reportedAt
}`) as unknown as TypedDocumentString<ReportToolResultMutation, ReportToolResultMutationVariables>;
export const ToolsDocument = new TypedDocumentString(`
    query tools($filter: ToolFilter) {
  tools(filter: $filter) {
    ...ToolFields
  }
}
    fragment ToolFields on Tool {
  fullName
  server
  toolServer {
    id
  }
  name
  description
  inputSchema
  annotations {
    title
    readOnlyHint
    destructiveHint
    idempotentHint
    openWorldHint
  }
  source
  category
  risk
  capability
  digest
  status
  approvedDigest
  approvedBy {
    id
    name
  }
  approvedAt
  discoveredAt
  changedAt
}`) as unknown as TypedDocumentString<ToolsQuery, ToolsQueryVariables>;
export const ToolDocument = new TypedDocumentString(`
    query tool($name: String!) {
  tool(name: $name) {
    ...ToolFields
  }
}
    fragment ToolFields on Tool {
  fullName
  server
  toolServer {
    id
  }
  name
  description
  inputSchema
  annotations {
    title
    readOnlyHint
    destructiveHint
    idempotentHint
    openWorldHint
  }
  source
  category
  risk
  capability
  digest
  status
  approvedDigest
  approvedBy {
    id
    name
  }
  approvedAt
  discoveredAt
  changedAt
}`) as unknown as TypedDocumentString<ToolQuery, ToolQueryVariables>;
export const ApproveToolDocument = new TypedDocumentString(`
    mutation approveTool($input: ApproveToolInput!) {
  approveTool(input: $input) {
    __typename
    ... on ApproveToolSuccess {
      tool {
        ...ToolFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolFields on Tool {
  fullName
  server
  toolServer {
    id
  }
  name
  description
  inputSchema
  annotations {
    title
    readOnlyHint
    destructiveHint
    idempotentHint
    openWorldHint
  }
  source
  category
  risk
  capability
  digest
  status
  approvedDigest
  approvedBy {
    id
    name
  }
  approvedAt
  discoveredAt
  changedAt
}`) as unknown as TypedDocumentString<ApproveToolMutation, ApproveToolMutationVariables>;
export const ToolServersDocument = new TypedDocumentString(`
    query toolServers($first: Int, $after: String) {
  toolServers(first: $first, after: $after) {
    edges {
      node {
        ...ToolServerFields
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment ToolServerFields on ToolServer {
  id
  name
  origin
  url
  headerNames
  timeoutMs
  concurrency
  enabled
  version
  toolCount
  shadowed
  health {
    status
    circuit
    lastError
    lastSeenAt
  }
  createdBy {
    id
    name
  }
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<ToolServersQuery, ToolServersQueryVariables>;
export const RegisterToolServerDocument = new TypedDocumentString(`
    mutation registerToolServer($input: RegisterToolServerInput!) {
  registerToolServer(input: $input) {
    __typename
    ... on RegisterToolServerSuccess {
      toolServer {
        ...ToolServerFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolServerFields on ToolServer {
  id
  name
  origin
  url
  headerNames
  timeoutMs
  concurrency
  enabled
  version
  toolCount
  shadowed
  health {
    status
    circuit
    lastError
    lastSeenAt
  }
  createdBy {
    id
    name
  }
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<RegisterToolServerMutation, RegisterToolServerMutationVariables>;
export const UpdateToolServerDocument = new TypedDocumentString(`
    mutation updateToolServer($input: UpdateToolServerInput!) {
  updateToolServer(input: $input) {
    __typename
    ... on UpdateToolServerSuccess {
      toolServer {
        ...ToolServerFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolServerFields on ToolServer {
  id
  name
  origin
  url
  headerNames
  timeoutMs
  concurrency
  enabled
  version
  toolCount
  shadowed
  health {
    status
    circuit
    lastError
    lastSeenAt
  }
  createdBy {
    id
    name
  }
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<UpdateToolServerMutation, UpdateToolServerMutationVariables>;
export const RefreshToolServerDocument = new TypedDocumentString(`
    mutation refreshToolServer($input: RefreshToolServerInput!) {
  refreshToolServer(input: $input) {
    __typename
    ... on RefreshToolServerSuccess {
      toolServer {
        ...ToolServerFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolServerFields on ToolServer {
  id
  name
  origin
  url
  headerNames
  timeoutMs
  concurrency
  enabled
  version
  toolCount
  shadowed
  health {
    status
    circuit
    lastError
    lastSeenAt
  }
  createdBy {
    id
    name
  }
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<RefreshToolServerMutation, RefreshToolServerMutationVariables>;
export const RemoveToolServerDocument = new TypedDocumentString(`
    mutation removeToolServer($input: RemoveToolServerInput!) {
  removeToolServer(input: $input) {
    __typename
    ... on RemoveToolServerSuccess {
      toolServer {
        ...ToolServerFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolServerFields on ToolServer {
  id
  name
  origin
  url
  headerNames
  timeoutMs
  concurrency
  enabled
  version
  toolCount
  shadowed
  health {
    status
    circuit
    lastError
    lastSeenAt
  }
  createdBy {
    id
    name
  }
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<RemoveToolServerMutation, RemoveToolServerMutationVariables>;
export const ToolOverridesDocument = new TypedDocumentString(`
    query toolOverrides {
  toolOverrides {
    ...ToolOverrideFields
  }
}
    fragment ToolOverrideFields on ToolOverride {
  tool
  risk
  category
  costMicroUsd
  setBy {
    id
    name
  }
  setAt
}`) as unknown as TypedDocumentString<ToolOverridesQuery, ToolOverridesQueryVariables>;
export const SetToolOverrideDocument = new TypedDocumentString(`
    mutation setToolOverride($input: SetToolOverrideInput!) {
  setToolOverride(input: $input) {
    __typename
    ... on SetToolOverrideSuccess {
      toolOverride {
        ...ToolOverrideFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolOverrideFields on ToolOverride {
  tool
  risk
  category
  costMicroUsd
  setBy {
    id
    name
  }
  setAt
}`) as unknown as TypedDocumentString<SetToolOverrideMutation, SetToolOverrideMutationVariables>;
export const RemoveToolOverrideDocument = new TypedDocumentString(`
    mutation removeToolOverride($input: RemoveToolOverrideInput!) {
  removeToolOverride(input: $input) {
    __typename
    ... on RemoveToolOverrideSuccess {
      toolOverride {
        ...ToolOverrideFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment ToolOverrideFields on ToolOverride {
  tool
  risk
  category
  costMicroUsd
  setBy {
    id
    name
  }
  setAt
}`) as unknown as TypedDocumentString<RemoveToolOverrideMutation, RemoveToolOverrideMutationVariables>;
export const WebhooksDocument = new TypedDocumentString(`
    query webhooks($first: Int, $after: String) {
  webhooks(first: $first, after: $after) {
    edges {
      cursor
      node {
        ...WebhookFields
        deliveries(first: 20) {
          edges {
            node {
              ...WebhookDeliveryFields
            }
          }
        }
      }
    }
    pageInfo {
      ...Page
    }
  }
}
    fragment Page on PageInfo {
  hasNextPage
  endCursor
}
fragment WebhookFields on Webhook {
  id
  name
  url
  events
  enabled
  createdAt
  updatedAt
}
fragment WebhookDeliveryFields on WebhookDelivery {
  id
  event
  status
  attempts
  lastError
  createdAt
  deliveredAt
}`) as unknown as TypedDocumentString<WebhooksQuery, WebhooksQueryVariables>;
export const CreateWebhookDocument = new TypedDocumentString(`
    mutation createWebhook($input: CreateWebhookInput!) {
  createWebhook(input: $input) {
    __typename
    ... on CreateWebhookSuccess {
      secret
      webhook {
        ...WebhookFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment WebhookFields on Webhook {
  id
  name
  url
  events
  enabled
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<CreateWebhookMutation, CreateWebhookMutationVariables>;
export const UpdateWebhookDocument = new TypedDocumentString(`
    mutation updateWebhook($input: UpdateWebhookInput!) {
  updateWebhook(input: $input) {
    __typename
    ... on UpdateWebhookSuccess {
      webhook {
        ...WebhookFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment WebhookFields on Webhook {
  id
  name
  url
  events
  enabled
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<UpdateWebhookMutation, UpdateWebhookMutationVariables>;
export const RotateWebhookSecretDocument = new TypedDocumentString(`
    mutation rotateWebhookSecret($input: RotateWebhookSecretInput!) {
  rotateWebhookSecret(input: $input) {
    __typename
    ... on RotateWebhookSecretSuccess {
      secret
      webhook {
        ...WebhookFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment WebhookFields on Webhook {
  id
  name
  url
  events
  enabled
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<RotateWebhookSecretMutation, RotateWebhookSecretMutationVariables>;
export const DeleteWebhookDocument = new TypedDocumentString(`
    mutation deleteWebhook($input: DeleteWebhookInput!) {
  deleteWebhook(input: $input) {
    __typename
    ... on DeleteWebhookSuccess {
      webhook {
        ...WebhookFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment WebhookFields on Webhook {
  id
  name
  url
  events
  enabled
  createdAt
  updatedAt
}`) as unknown as TypedDocumentString<DeleteWebhookMutation, DeleteWebhookMutationVariables>;
export const RedeliverWebhookDocument = new TypedDocumentString(`
    mutation redeliverWebhook($input: RedeliverWebhookInput!) {
  redeliverWebhook(input: $input) {
    __typename
    ... on RedeliverWebhookSuccess {
      delivery {
        ...WebhookDeliveryFields
      }
    }
    ...Failure
  }
}
    fragment Failure on Error {
  __typename
  code
  message
  ... on ValidationError {
    problems {
      path
      message
      expected
      line
      column
    }
  }
}
fragment WebhookDeliveryFields on WebhookDelivery {
  id
  event
  status
  attempts
  lastError
  createdAt
  deliveredAt
}`) as unknown as TypedDocumentString<RedeliverWebhookMutation, RedeliverWebhookMutationVariables>;
