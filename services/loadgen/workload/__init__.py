"""What is asked of the system: users, their calls, and when each is due."""
