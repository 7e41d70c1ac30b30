// What a tool takes: a flat object of texts and whole numbers. One description serves as the types of the program, as the
// check of what a peer sent, and as the JSON Schema that peers are told.

export type Parameter =
  | { type: 'string'; description: string; minLength?: number; maxLength: number; default?: string }
  | { type: 'string'; description: string; enum: readonly string[]; default?: string }
  | { type: 'integer'; description: string; minimum: number; maximum: number; default?: number };

export type Parameters = Readonly<Record<string, Parameter>>;

type ValueOf<P extends Parameter> = P extends { enum: readonly (infer Choice)[] }
  ? Choice
  : P extends { type: 'string' }
    ? string
    : number;

export type ValuesOf<P extends Parameters> = { [Name in keyof P]: ValueOf<P[Name]> };

/** What is wrong with a value, and where: the form that Standard Schema uses. */
export interface Issue {
  message: string;
  path: string[];
}

export interface ObjectSchema {
  type: 'object';
  properties: Parameters;
  required: string[];
  additionalProperties: false;
}

/** JSON Schema (2020-12) of the parameters. Those with a default may be left out. */
export function toJsonSchema(parameters: Parameters): ObjectSchema {
  const required = Object.keys(parameters).filter((name) => parameters[name]!.default === undefined);
  return { type: 'object', properties: parameters, required, additionalProperties: false };
}

/** Checks what a peer sent, and fills in the defaults. */
export function readParameters<P extends Parameters>(
  parameters: P,
  sent: unknown,
): { values: ValuesOf<P> } | { issues: Issue[] } {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    return { issues: [{ message: 'an object was expected', path: [] }] };
  }
  const given = new Map(Object.entries(sent));
  const issues: Issue[] = [];
  for (const name of given.keys()) {
    if (!Object.hasOwn(parameters, name))
      issues.push({ message: 'there is no such parameter', path: [name] });
  }
  const values: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = given.has(name) ? given.get(name) : parameter.default;
    const expected = isFitting(parameter, value) ? undefined : describe(parameter);
    if (expected === undefined) values[name] = value;
    else issues.push({ message: `${expected} was expected`, path: [name] });
  }
  return issues.length > 0 ? { issues } : { values: values as ValuesOf<P> };
}

function isFitting(parameter: Parameter, value: unknown): boolean {
  if (parameter.type === 'integer') {
    return (
      Number.isInteger(value) && Number(value) >= parameter.minimum && Number(value) <= parameter.maximum
    );
  }
  if (typeof value !== 'string') return false;
  if ('enum' in parameter) return parameter.enum.includes(value);
  return value.length >= (parameter.minLength ?? 0) && value.length <= parameter.maxLength;
}

function describe(parameter: Parameter): string {
  if (parameter.type === 'integer') {
    return `a whole number from ${parameter.minimum} to ${parameter.maximum}`;
  }
  if ('enum' in parameter) return `one of ${parameter.enum.join(', ')}`;
  return `a text of ${parameter.minLength ?? 0} to ${parameter.maxLength} characters`;
}
