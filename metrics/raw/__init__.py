"""What is kept beside a result, sample by sample: the probe's writes, and the moments of projectors."""
