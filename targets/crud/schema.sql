-- The table. Run by `python -m targets.crud.migrate`; again and again is harmless.

CREATE TABLE IF NOT EXISTS todos (
  id         text COLLATE "C" PRIMARY KEY,
  text       text NOT NULL,
  version    integer NOT NULL DEFAULT 1 CHECK (version > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted    boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);

-- A page of active todos must not wade through the deleted ones. The primary key could serve it too, and a plan that is
-- made while the table is empty may choose it: so this order is in another collation, of the same byte order.
CREATE INDEX IF NOT EXISTS ix_todos_active ON todos ((id COLLATE "POSIX")) WHERE NOT deleted;
