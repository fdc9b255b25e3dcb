"""Manifests of targets: `targets/<name>/target.toml`, or a folder anywhere; read strictly, and what may be asked."""
