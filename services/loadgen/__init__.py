"""The load generator: drives the Todo system over HTTP and judges what it sees. It knows no database.

Three processes: a plain supervisor (`__main__`), Locust with the users (`locustfile`), and a small probe (`probe`)
that measures visibility, because greenlets under load are no stop-watch.
"""
