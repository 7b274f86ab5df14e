"""Control API under /__admin: controls and inspects the mock, and is served like the vendor's API."""
