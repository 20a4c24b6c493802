"""Trip files of New York's Taxi and Limousine Commission, for training and for batch scoring."""
