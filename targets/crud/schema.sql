-- The table, and the counters for /stats. Run by `python -m targets.crud.migrate`; again and again is harmless.

CREATE TABLE IF NOT EXISTS todos (
  id         text COLLATE "C" PRIMARY KEY,
  text       text NOT NULL,
  version    integer NOT NULL DEFAULT 1 CHECK (version > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);

-- /stats must tell exact counts at any size, and counting 100,000 rows for each call would be the load by itself. So each
-- write counts itself, in a slot that no other connection of the pool has: two of one slot would wait for each other.
CREATE TABLE IF NOT EXISTS todo_counts (
  slot    smallint PRIMARY KEY,
  writes  bigint NOT NULL,
  created bigint NOT NULL,
  deleted bigint NOT NULL
) WITH (fillfactor = 50);
