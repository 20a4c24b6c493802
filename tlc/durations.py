"""Which durations are those of rides."""

# Rides outside of this are taximeters left on or off, rather than rides.
MIN_MINUTES = 1.0
MAX_MINUTES = 60.0
