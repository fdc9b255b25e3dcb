"""What a trial of each side is: this revision by some settings, or another revision by the same settings."""
