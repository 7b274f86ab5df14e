"""How Schemathesis is run on the two specs, and what it is not to report."""
