// The MCP servers that tenants register: register, change, remove, look again; what runners saw of them. Owns tool_servers and
// remote_tools. Looking at a server takes seconds, so it happens before the transaction (`look…`), and its result is handed in.
import type { Clock } from '../platform/clock.ts';
import { orConflict } from '../platform/conflict.ts';
import type { UnitOfWork } from '../platform/database.ts';
import { ConflictError, InvalidStateError, LimitExceededError, NotFoundError, ValidationError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Page, PageRequest } from '../platform/page.ts';
import { SealError, type Sealer } from '../platform/sealing.ts';
import { requirePermission } from '../authority/authorize.ts';
import type { Authority } from '../authority/permission.ts';
import type { Discover, Discovery } from './remote-discovery.ts';
import { listServers, serversByIds, storedServer, toRow, type RemoteServerRow, type StoredServer } from './remote-reads.ts';
import { checkedNew, headerProblems, rangeProblems, urlProblems, type NewToolServer, type ToolServerUpdate } from './remote-input.ts';
import { remoteLimits, type Endpoint, type Header, type Registration, type ServerHealth, type StoredHeader } from './remote.ts';
import { mayReadTools } from './tool-reads.ts';
import { writeTools, type DefinitionChanges } from './tool-writes.ts';
import { describeTool, type ToolDescription } from './tool.ts';

type Read = <T>(work: (uow: UnitOfWork) => Promise<T>) => Promise<T>;

/** What was seen before the transaction, and of which version; null discovery: there was nothing to look at. */
export interface Look {
  readonly version: number;
  readonly discovery: Discovery | null;
}

export interface RemoteServerService {
  /** Checks the input and, unless it is to be switched off, that an MCP server answers there. */
  lookAtNew(actor: Authority, input: NewToolServer): Promise<Look>;
  registerToolServer(uow: UnitOfWork, actor: Authority, input: NewToolServer, look: Look): Promise<RemoteServerRow>;
  /** The same for a change, if it changes where and how to reach the server. */
  lookAtUpdate(read: Read, actor: Authority, input: ToolServerUpdate): Promise<Look>;
  updateToolServer(uow: UnitOfWork, actor: Authority, input: ToolServerUpdate, look: Look): Promise<RemoteServerRow>;
  lookAgain(read: Read, actor: Authority, toolServerId: string): Promise<Look>;
  /** Writes down what was seen, a failure too. */
  refreshToolServer(uow: UnitOfWork, actor: Authority, toolServerId: string, look: Look): Promise<RemoteServerRow>;
  /** Its tools go with it; what the tenant accepted of them stays, for a server that takes the name later. */
  removeToolServer(uow: UnitOfWork, actor: Authority, toolServerId: string): Promise<RemoteServerRow>;
  serversByIds(uow: UnitOfWork, actor: Authority, ids: readonly string[]): Promise<RemoteServerRow[]>;
  listToolServers(uow: UnitOfWork, actor: Authority, page: PageRequest): Promise<Page<RemoteServerRow>>;
  /** For runners: with its secrets. Null when it is gone or switched off. Throws InvalidStateError when they cannot be opened. */
  registrationOf(uow: UnitOfWork, serverId: string): Promise<Registration | null>;
  /** For runners; nothing when the registration has changed since. */
  recordTools(uow: UnitOfWork, of: Pick<Registration, 'id' | 'version'>, tools: readonly ToolDescription[]): Promise<DefinitionChanges>;
  recordHealth(uow: UnitOfWork, of: Pick<Registration, 'id' | 'version'>, health: ServerHealth): Promise<void>;
}

export interface RemoteServerServiceDependencies {
  readonly clock: Clock;
  readonly sealer: Sealer;
  readonly discover: Discover;
}

export function createRemoteServerService({ clock, sealer, discover }: RemoteServerServiceDependencies): RemoteServerService {
  const placeOf = (tenantId: string, id: string, header: string) => `tool_servers/${tenantId}/${id}/${header.toLowerCase()}`;
  const sealed = (tenantId: string, id: string, headers: readonly Header[]): StoredHeader[] =>
    headers.map(({ name, value }) => ({ name, sealed: sealer.seal(value, placeOf(tenantId, id, name)) }));
  const opened = (tenantId: string, { id, name, headers }: Pick<StoredServer, 'id' | 'name' | 'headers'>): Header[] =>
    headers.map((header) => {
      try {
        return { name: header.name, value: sealer.open(header.sealed, placeOf(tenantId, id, header.name)) };
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        const wayOut = 'give its headers anew, or the process the right SIGNALBOX_SECRET_KEY';
        throw new InvalidStateError(
          `the header "${header.name}" of the tool server "${name}" cannot be opened (${error.message}); ${wayOut}`,
        );
      }
    });

  /** Visible and manageable; the same for all who may not see it as for one that does not exist. */
  async function manageable(uow: UnitOfWork, actor: Authority, id: string, lock = false): Promise<StoredServer> {
    const server = mayReadTools(actor) ? await storedServer(uow, id, { lock }) : null;
    if (!server) throw new NotFoundError(`there is no tool server "${id}"`);
    requirePermission(actor, 'tool.manage');
    return server;
  }

  /** What the server is after the change; its header values are sealed anew only where they are given anew. */
  function changed(tenantId: string, before: StoredServer, input: ToolServerUpdate) {
    if (before.version !== input.expectedVersion) {
      throw new ConflictError(
        `expectedVersion: the tool server "${before.name}" is at version ${before.version}, not ${input.expectedVersion}; read it again and repeat your change`,
      );
    }
    const url = input.url ?? before.url;
    const timeoutMs = input.timeoutMs ?? before.timeoutMs;
    const concurrency = input.concurrency ?? before.concurrency;
    const enabled = input.enabled ?? before.enabled;
    const given = input.headers ?? before.headers.map(({ name }) => ({ name, value: null }));
    const problems = [
      ...urlProblems(url),
      ...headerProblems(given),
      ...rangeProblems('timeoutMs', timeoutMs),
      ...rangeProblems('concurrency', concurrency),
    ];
    const kept = new Map(before.headers.map((header) => [header.name.toLowerCase(), header]));
    const moved = problems.length === 0 && new URL(url).origin !== new URL(before.url).origin;
    for (const [index, { name, value }] of given.entries()) {
      if (value != null) continue;
      const path = `headers[${index}].value`;
      if (!kept.has(name.toLowerCase())) problems.push({ path, message: `is required: there is no header "${name.slice(0, 80)}" yet` });
      // Or whoever may change the address could have the secret sent to a place of their own.
      else if (moved)
        problems.push({ path, message: `is required: the server moves to another origin, and a value is not sent there unseen` });
    }
    if (problems.length > 0) throw new ValidationError(problems);
    const headers = given.map(({ name, value }): StoredHeader => {
      if (value != null) return sealed(tenantId, before.id, [{ name, value }])[0]!;
      return { name, sealed: kept.get(name.toLowerCase())!.sealed };
    });
    const toLookAt = enabled && (!before.enabled || url !== before.url || input.headers != null);
    return { url, timeoutMs, concurrency, enabled, headers, toLookAt };
  }

  async function look(endpoint: Endpoint): Promise<Extract<Discovery, { ok: true }>> {
    const discovery = await discover(endpoint);
    if (discovery.ok) return discovery;
    const expected = 'the address of an MCP server (streamable HTTP) that answers now, or enabled: false';
    throw new ValidationError([{ path: 'url', message: `cannot be used: ${discovery.reason}`, expected }]);
  }

  async function record(uow: UnitOfWork, name: string, id: string, discovery: Discovery): Promise<void> {
    const now = clock.now();
    if (discovery.ok) {
      const tools = discovery.tools.map((tool) => describeTool(name, tool));
      await writeTools(uow, 'remote_tools', name, tools, now);
    }
    await uow.rows(
      `update tool_servers set status = $3, circuit = 'closed', last_error = $4, last_seen_at = coalesce($5::timestamptz, last_seen_at)
       where tenant_id = $1 and id = $2`,
      [uow.tenantId, id, discovery.ok ? 'healthy' : 'failing', discovery.ok ? null : discovery.reason, discovery.ok ? now : null],
    );
  }

  async function reread(uow: UnitOfWork, actor: Authority, id: string): Promise<RemoteServerRow> {
    return toRow(actor, (await storedServer(uow, id))!);
  }

  return {
    async lookAtNew(actor, input) {
      requirePermission(actor, 'tool.manage');
      const endpoint = checkedNew(input);
      return { version: 1, discovery: (input.enabled ?? true) ? await look(endpoint) : null };
    },

    async registerToolServer(uow, actor, input, { discovery }) {
      requirePermission(actor, 'tool.manage');
      const { url, headers, timeoutMs } = checkedNew(input);
      const { name } = input;
      // One registration of a tenant at a time, so that the limit holds.
      await uow.rows(`select pg_advisory_xact_lock(hashtextextended('tool_servers ' || $1, 0))`, [uow.tenantId]);
      const [known] = await uow.rows<{ servers: number; isOperators: boolean }>(
        `select (select count(*)::int from tool_servers where tenant_id = $1) as servers,
           exists (select from tool_definitions where server = $2) as "isOperators"`,
        [uow.tenantId, name],
      );
      if (known!.isOperators) throw new ConflictError(`name: a tool server of the operator is called "${name}"; choose another name`);
      if (known!.servers >= remoteLimits.serversPerTenant) {
        throw new LimitExceededError(
          `a tenant has at most ${remoteLimits.serversPerTenant} tool servers; remove one that is no longer used`,
        );
      }
      const id = newId();
      const now = clock.now();
      const concurrency = input.concurrency ?? remoteLimits.concurrency.default;
      await orConflict(
        uow.rows(
          `insert into tool_servers (id, tenant_id, name, url, headers, timeout_ms, concurrency, enabled, version, created_by, created_at,
             updated_at, status, circuit)
           values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, 1, $9, $10, $10, 'unknown', 'closed')`,
          [
            id,
            uow.tenantId,
            name,
            url,
            JSON.stringify(sealed(uow.tenantId, id, headers)),
            timeoutMs,
            concurrency,
            input.enabled ?? true,
            actor.principalId,
            now,
          ],
        ),
        { tool_servers_name_unique: `name: there is already a tool server "${name}"; choose another name or change that one` },
      );
      if (discovery) await record(uow, name, id, discovery);
      return reread(uow, actor, id);
    },

    async lookAtUpdate(read, actor, input) {
      const before = await read((uow) => manageable(uow, actor, input.toolServerId));
      const { toLookAt, url, timeoutMs, headers } = changed(actor.tenantId, before, input);
      const endpoint = () => ({ url, timeoutMs, headers: opened(actor.tenantId, { ...before, headers }) });
      return { version: before.version, discovery: toLookAt ? await look(endpoint()) : null };
    },

    async updateToolServer(uow, actor, input, { discovery }) {
      const before = await manageable(uow, actor, input.toolServerId, true);
      const { url, timeoutMs, concurrency, enabled, headers, toLookAt } = changed(uow.tenantId, before, input);
      if (toLookAt && !discovery) throw new Error('the changed tool server was not looked at');
      const isSame = url === before.url && timeoutMs === before.timeoutMs && concurrency === before.concurrency;
      if (isSame && enabled === before.enabled && input.headers == null) return toRow(actor, before);
      await uow.rows(
        `update tool_servers set url = $3, headers = $4::jsonb, timeout_ms = $5, concurrency = $6, enabled = $7, version = version + 1,
           updated_at = $8 where tenant_id = $1 and id = $2`,
        [uow.tenantId, before.id, url, JSON.stringify(headers), timeoutMs, concurrency, enabled, clock.now()],
      );
      if (discovery) await record(uow, before.name, before.id, discovery);
      return reread(uow, actor, before.id);
    },

    async lookAgain(read, actor, toolServerId) {
      const server = await read((uow) => manageable(uow, actor, toolServerId));
      const { url, timeoutMs, version } = server;
      return { version, discovery: await discover({ url, timeoutMs, headers: opened(actor.tenantId, server) }) };
    },

    async refreshToolServer(uow, actor, toolServerId, { version, discovery }) {
      const server = await manageable(uow, actor, toolServerId, true);
      if (server.version !== version) {
        throw new ConflictError(`the tool server "${server.name}" was changed while it was looked at; look again`);
      }
      if (discovery) await record(uow, server.name, server.id, discovery);
      return reread(uow, actor, server.id);
    },

    async removeToolServer(uow, actor, toolServerId) {
      const server = await manageable(uow, actor, toolServerId, true);
      await uow.rows('delete from remote_tools where tenant_id = $1 and server = $2', [uow.tenantId, server.name]);
      await uow.rows('delete from tool_servers where tenant_id = $1 and id = $2', [uow.tenantId, server.id]);
      return toRow(actor, server);
    },

    serversByIds,
    listToolServers: listServers,

    async registrationOf(uow, serverId) {
      const server = await storedServer(uow, serverId);
      if (!server?.enabled) return null;
      const { id, name, url, timeoutMs, concurrency, version } = server;
      return { id, name, url, timeoutMs, concurrency, version, tenantId: uow.tenantId, headers: opened(uow.tenantId, server) };
    },

    async recordTools(uow, { id, version }, tools) {
      const server = await storedServer(uow, id, { lock: true });
      if (server?.version !== version) return { added: [], changed: [], removed: [] };
      return writeTools(uow, 'remote_tools', server.name, tools, clock.now());
    },

    async recordHealth(uow, { id, version }, { status, circuit, lastError, seenAt }) {
      await uow.rows(
        `update tool_servers set status = $4, circuit = $5, last_error = $6, last_seen_at = greatest(last_seen_at, $7::timestamptz)
         where tenant_id = $1 and id = $2 and version = $3`,
        [uow.tenantId, id, version, status, circuit, lastError, seenAt],
      );
    },
  };
}
