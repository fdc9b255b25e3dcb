SELECT given.stream, (SELECT min(e.position + 0) FROM events e
                       WHERE e.stream = given.stream AND e.version >= given.version) AS position
  FROM unnest($1 ::text[], $2 ::int[]) AS given(stream, version)
