UPDATE kept_read_models SET read_models = becoming, becoming = NULL
 WHERE projection = $1 AND becoming = $2 ::text[]
