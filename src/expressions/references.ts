// Reads from a parsed expression what it refers to. It follows which value each part works on (the root, the map of steps, or
// data), so that `steps` as a field of some output is data, and a step that is not named in the text is refused.
import { builtinFunctions, refusedFunctions } from './builtins.ts';
import { rootNames, type ExpressionProblem, type RootName } from './expression.ts';
import { regexProblem } from './regex.ts';

/** A node of JSONata's tree, after its own processing (`path`, `bind`, `apply`, … as well as the published types). */
export interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly position?: number;
  readonly steps?: readonly Node[];
  readonly stages?: readonly Stage[];
  readonly predicate?: readonly Stage[];
  readonly group?: { readonly lhs: readonly (readonly [Node, Node])[] };
  readonly expressions?: readonly Node[];
  readonly lhs?: Node | readonly (readonly [Node, Node])[];
  readonly rhs?: Node;
  readonly expression?: Node;
  readonly arguments?: readonly Node[];
  readonly procedure?: Node;
  readonly body?: Node;
  readonly condition?: Node;
  readonly then?: Node;
  readonly else?: Node;
  readonly pattern?: Node;
  readonly update?: Node;
  readonly delete?: Node;
  readonly terms?: readonly { readonly expression: Node }[];
  readonly focus?: string;
  readonly index?: string;
  readonly keepArray?: boolean;
  readonly keepSingletonArray?: boolean;
  readonly consarray?: boolean;
  readonly tuple?: boolean;
}
interface Stage {
  readonly type: string;
  readonly value?: unknown;
  readonly expr?: Node;
}

export interface References {
  /** Ids after `steps.`, sorted. */
  readonly steps: readonly string[];
  readonly roots: ReadonlySet<RootName>;
  readonly problems: readonly ExpressionProblem[];
}

/** What a part of the expression works on or gives. */
type Value = 'root' | 'steps' | 'data';

const stepsAdvice = 'name the step in the text (steps.<id>): the order of steps is read from it';

export function readReferences(tree: Node): References {
  const steps = new Set<string>();
  const roots = new Set<RootName>();
  const problems: ExpressionProblem[] = [];
  const bound = boundNames(tree);

  function problem(message: string, node: Node): Value {
    problems.push({ message, offset: node.position });
    return 'data';
  }

  /** A value that is used as a whole must be data. */
  function whole(value: Value, node: Node): Value {
    if (value === 'steps') problem(`steps cannot be used as a whole; ${stepsAdvice}`, node);
    if (value === 'root') problem(`the root cannot be used as a whole; use one of ${rootNames.join(', ')}`, node);
    return 'data';
  }

  const data = (node: Node | undefined, context: Value): void => {
    if (node) whole(visit(node, context), node);
  };

  function visitName(node: Node, context: Value): Value {
    const name = String(node.value);
    if (context === 'data') return 'data';
    if (context === 'steps') {
      steps.add(name);
      return 'data';
    }
    const root = rootNames.find((known) => known === name);
    if (root === undefined) {
      return problem(`unknown name "${name}"; an expression sees ${rootNames.join(', ')}${nearMiss(name)}`, node);
    }
    roots.add(root);
    return root === 'steps' ? 'steps' : 'data';
  }

  function visitVariable(node: Node, context: Value): Value {
    const name = String(node.value);
    if (name === '') return context;
    if (name === '$') return 'root';
    if (Object.hasOwn(refusedFunctions, name)) return problem(`$${name} is not available: ${refusedFunctions[name]}`, node);
    if (!builtinFunctions.has(name) && !bound.has(name)) return problem(`$${name} is neither a function nor a variable set here`, node);
    return 'data';
  }

  function visitStages(node: Node, value: Value): Value {
    const stages = [...(node.stages ?? []), ...(node.predicate ?? [])];
    if (stages.length === 0) return value;
    whole(value, node);
    for (const stage of stages) data(stage.expr, 'data');
    return 'data';
  }

  function visitPath(node: Node, context: Value): Value {
    let value = context;
    for (const step of node.steps ?? []) {
      const given = visitStages(step, visitSelf(step, value));
      // `@$x` binds the step's value and goes on from where it was.
      if (step.focus === undefined) value = given;
      else whole(given, step);
    }
    return value;
  }

  function visit(node: Node, context: Value): Value {
    return visitStages(node, visitSelf(node, context));
  }

  function visitSelf(node: Node, context: Value): Value {
    const value = visitKind(node, context);
    if (!node.group) return value;
    whole(value, node);
    for (const pair of node.group.lhs) for (const part of pair) data(part, 'data');
    return 'data';
  }

  function visitKind(node: Node, context: Value): Value {
    switch (node.type) {
      case 'path':
        return visitPath(node, context);
      case 'name':
        return visitName(node, context);
      case 'variable':
        return visitVariable(node, context);
      case 'wildcard':
      case 'descendant':
        return whole(context, node);
      case 'parent':
        return problem('the parent operator % is not available; bind the parent with @$name instead', node);
      case 'regex': {
        const reason = regexProblem(node.value as RegExp);
        return reason === null ? 'data' : problem(reason, node);
      }
      case 'string':
      case 'number':
      case 'value':
      case 'operator':
        return 'data';
    }
    if (context === 'steps') return problem(`steps must be followed by a step id; ${stepsAdvice}`, node);
    if (node.type === 'transform') {
      for (const part of [node.pattern, node.update, node.delete]) data(part, 'data');
      return 'data';
    }
    for (const term of node.terms ?? []) data(term.expression, 'data');
    if (Array.isArray(node.lhs)) {
      for (const pair of node.lhs as readonly (readonly [Node, Node])[]) for (const part of pair) data(part, context);
    } else data(node.lhs as Node | undefined, context);
    for (const part of [node.rhs, node.expression, node.procedure, node.body, node.condition, node.then, node.else]) data(part, context);
    for (const part of [...(node.expressions ?? []), ...(node.type === 'lambda' ? [] : (node.arguments ?? []))]) data(part, context);
    return 'data';
  }

  data(tree, 'root');
  return { steps: [...steps].sort(), roots, problems };
}

/** Variables that the expression itself sets, anywhere in it: `:=`, function parameters, `@$x`, `#$i`. */
function boundNames(tree: Node): Set<string> {
  const bound = new Set<string>();
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null || node instanceof RegExp) continue;
    const { type, lhs, arguments: parameters, focus, index, value } = node as Node;
    if (type === 'bind') bound.add(String((lhs as Node).value));
    if (type === 'lambda') for (const parameter of parameters ?? []) bound.add(String(parameter.value));
    if (type === 'index') bound.add(String(value));
    if (focus !== undefined) bound.add(focus);
    if (typeof index === 'string') bound.add(index);
    open.push(...Object.values(node));
  }
  return bound;
}

function nearMiss(name: string): string {
  return builtinFunctions.has(name) ? ` (a function is written $${name})` : '';
}
