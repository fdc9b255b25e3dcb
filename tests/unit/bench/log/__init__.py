"""The oracle over HTTP, its pure parts."""
