// Schemas by hand, for what no library does by itself.
import type { SchemaIssue, SchemaResult, StandardSchema } from '../../src/rpc/standard-schema.js';

export function schemaOf<Output = unknown>(
  validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>,
): StandardSchema<unknown, Output> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

/** Takes nothing, and says why. */
export function refusing(...issues: SchemaIssue[]): StandardSchema {
  return schemaOf(() => ({ issues }));
}

export const throwing = schemaOf(() => {
  throw new Error('SELECT secret');
});

/** Takes numbers, later. */
export const later = schemaOf<number>(async (value) =>
  typeof value === 'number' ? { value } : { issues: [{ message: 'no number' }] },
);
