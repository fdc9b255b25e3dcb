"""How a command of the bench ends: by a signal, a refusal, a verdict or a defect; and that nothing outlives it."""
