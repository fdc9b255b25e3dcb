"""Programs that the bench starts to measure this project's own packages in process. Nobody imports them.

Each takes its database from DATABASE_URL, and prints one JSON document as its last line.
"""
