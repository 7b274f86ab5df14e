"""Routes that a user adds: Flask views, which answer where no document has the path."""
