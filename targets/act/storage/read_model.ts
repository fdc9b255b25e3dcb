/**
 * The table of todos: what the projection writes, and what reads are answered from.
 *
 * A list of statements is one transaction. `applied` counts the events that took effect in a row; ids are in code point order.
 */

/** One effect in the table. Its parameters are question marks. */
export type Statement = { readonly sql: string; readonly args: (string | number)[] };

export type Todo = { id: string; text: string; version: number; applied: number };
export type Totals = { todos: number; active: number; applied: number };

export interface ReadModel {
  /** Carry out all statements in one transaction, in their order. */
  apply(statements: Statement[]): Promise<void>;
  find(id: string): Promise<Todo | undefined>;
  page(after: string, limit: number): Promise<Todo[]>;
  totals(): Promise<Totals>;
  close(): Promise<void>;
}

/** The database behind it: its rows, and how it runs a list of statements. */
export interface Database {
  rows(statement: Statement): Promise<Record<string, unknown>[]>;
  transaction(statements: Statement[]): Promise<void>;
  close(): Promise<void>;
}

const columns = 'id, text, version, applied';

const todo = (row: Record<string, unknown>): Todo => ({
  id: String(row.id),
  text: String(row.text),
  version: Number(row.version),
  applied: Number(row.applied),
});

/** `idType` is the type of a text that is compared by code points. */
export async function readModel(database: Database, idType: string): Promise<ReadModel> {
  await database.transaction([
    {
      sql: `CREATE TABLE IF NOT EXISTS todos (id ${idType} PRIMARY KEY, text text NOT NULL, version integer NOT NULL,
            deleted integer NOT NULL, applied integer NOT NULL)`,
      args: [],
    },
    { sql: 'CREATE INDEX IF NOT EXISTS active_todos ON todos (id) WHERE deleted = 0', args: [] },
  ]);
  return {
    apply: (statements) => database.transaction(statements),
    async find(id) {
      const [row] = await database.rows({ sql: `SELECT ${columns} FROM todos WHERE id = ? AND deleted = 0`, args: [id] });
      return row && todo(row);
    },
    async page(after, limit) {
      const sql = `SELECT ${columns} FROM todos WHERE deleted = 0 AND id > ? ORDER BY id LIMIT ?`;
      return (await database.rows({ sql, args: [after, limit] })).map(todo);
    },
    async totals() {
      const sql = `SELECT count(*) AS todos, coalesce(sum(1 - deleted), 0) AS active, coalesce(sum(applied), 0) AS applied FROM todos`;
      const [row] = await database.rows({ sql, args: [] });
      return { todos: Number(row?.todos), active: Number(row?.active), applied: Number(row?.applied) };
    },
    close: () => database.close(),
  };
}
