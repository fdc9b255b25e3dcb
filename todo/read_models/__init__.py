"""Read models: one file each, which is all of it. `READ_MODELS` names those that are kept."""
