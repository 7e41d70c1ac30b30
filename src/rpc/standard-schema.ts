// Validators as standardschema.dev defines them, version 1: Zod, Valibot, ArkType and others fit without being known here.
// What they find wrong is brought into one form, and bounded, because the peer is told.

/** A validator. `Input` is what it takes, `Output` what it makes of that. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    /** The library that it is of. */
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    /** Never there at run time. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a validator answers: the value is valid where there are no `issues`. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** Something wrong, as validators report it. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What may be given to the validator. */
export type InferInput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['input'];

/** What comes out of the validator. */
export type InferOutput<Schema extends StandardSchema> = NonNullable<Schema['~standard']['types']>['output'];

/** Something wrong, as it travels in `data.issues` of an error. */
export interface Issue {
  path: (string | number)[];
  message: string;
}

/** A valid value, or what is wrong with it. `cause` is what the validator threw; it stays here. */
export type Validation<Output> = { value: Output } | { issues: Issue[]; cause?: unknown };

const MOST_ISSUES = 32;
const LONGEST_MESSAGE = 256;
const LONGEST_PATH = 16;
const LONGEST_KEY = 64;

export function isStandardSchema(value: unknown): value is StandardSchema {
  // ArkType's are functions.
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as Partial<StandardSchema>)['~standard'];
  return standard?.version === 1 && typeof standard.validate === 'function';
}

/**
 * Validates at once, or returns a promise where the validator did. Never throws and never rejects: what a validator cannot
 * judge is not valid, and what it threw is the `cause`.
 */
export function validate<Schema extends StandardSchema>(
  schema: Schema,
  value: unknown,
): Validation<InferOutput<Schema>> | Promise<Validation<InferOutput<Schema>>> {
  try {
    const result = schema['~standard'].validate(value);
    return 'then' in result ? Promise.resolve(result).then(judge).catch(failed) : judge(result);
  } catch (error) {
    return failed(error);
  }
}

/** In the form in which they travel, and only so many of them: keys and messages may hold what the peer sent, at any length. */
export function boundIssues(issues: readonly SchemaIssue[]): Issue[] {
  return issues.slice(0, MOST_ISSUES).map(({ path = [], message }) => ({
    path: path.slice(0, LONGEST_PATH).map((segment) => {
      const key = typeof segment === 'object' ? segment.key : segment;
      return typeof key === 'number' ? key : String(key).slice(0, LONGEST_KEY);
    }),
    message: String(message).slice(0, LONGEST_MESSAGE),
  }));
}

function judge<Output>(result: SchemaResult<Output>): Validation<Output> {
  return result.issues ? { issues: boundIssues(result.issues) } : { value: result.value };
}

function failed(cause: unknown): { issues: Issue[]; cause: unknown } {
  return { issues: [{ path: [], message: 'the validator failed' }], cause };
}
