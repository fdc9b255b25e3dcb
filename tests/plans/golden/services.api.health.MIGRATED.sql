SELECT to_regclass('events') IS NOT NULL AND to_regclass('todos') IS NOT NULL AS migrated
