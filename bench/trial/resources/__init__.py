"""What bounded a run, and who else was on the machine: sampled beside the run, folded into its result."""
