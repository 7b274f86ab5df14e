"""Other people's documents beside the vendor's."""
