"""Load generator: Locust users drive the Todo service over HTTP, and a judge compares acknowledged with read.

It knows no database. Three processes: a plain supervisor (`__main__`), Locust with the users (`locustfile`), and the
visibility probe (`measure.visibility_probe`), because greenlets under load are no stop-watch.
"""
