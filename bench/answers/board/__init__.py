"""Publish the half of a bundle that anybody may have, and make one static page of such files and of bundles."""
