INSERT INTO kept_read_models (projection, read_models, becoming) VALUES ($1, '{}', $2 ::text[])
ON CONFLICT (projection) DO UPDATE SET becoming = excluded.becoming
