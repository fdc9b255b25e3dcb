"""Commands that answer one question each, by many trials or by a look: a folder a command."""
