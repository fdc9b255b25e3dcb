"""The two dashboards, written as classic JSON by `python -m grafana` from the catalogue of metrics.

Grafana reads `provisioning/` and `dashboards/` and none of this code.
"""
