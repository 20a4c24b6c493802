"""Trip files of New York's Taxi and Limousine Commission, for training and for batch scoring."""

# Rides outside of this are taximeters left on or off, rather than rides.
MIN_MINUTES = 1.0
MAX_MINUTES = 60.0
