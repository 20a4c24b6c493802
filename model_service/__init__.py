"""The core: rides in, predictions and rejections out. It knows nothing of who calls it."""
