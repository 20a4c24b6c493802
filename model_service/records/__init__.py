"""Record schemas: the ride, its features, and the prediction event."""
