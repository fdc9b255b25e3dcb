"""Documents of the commands that answer one question each, by many trials."""
