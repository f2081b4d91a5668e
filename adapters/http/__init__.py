"""What the HTTP adapters share: problems, bodies, limits, credentials, the server."""
