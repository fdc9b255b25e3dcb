"""The server: uvicorn, its connections, and what surrounds every request."""
