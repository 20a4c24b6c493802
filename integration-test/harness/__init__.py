"""What the integration test needs to reach a deployed stack, wherever it runs."""
