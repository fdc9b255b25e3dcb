SELECT read_models, becoming FROM kept_read_models WHERE projection = $1
