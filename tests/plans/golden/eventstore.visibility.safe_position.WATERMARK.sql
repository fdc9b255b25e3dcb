SELECT safe_position() AS position
