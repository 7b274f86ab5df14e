"""The HTTP server around a WSGI application."""
