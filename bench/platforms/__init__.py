"""Where the system under test runs: one folder a platform, each behind the same protocol."""
