"""Requests and replies of both APIs, and the errors that they share."""
